"""What an evaluation's test shares with the training of the run: counted, or told from the two descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from bench.core.record.evaluation import LEAKS
from bench.data.source import Source
from bench.data.split.division import FORMER
from bench.run import trained_on
from bench.run.trained import TrainedRun

_SHARED_OUT = (
    *("seed", "split", "split_content", "parts", "left_out", "skipped"),
    *("grouping", "flips", "scenes", "objects", "rooms", "figures"),
)
"""What decides, in a description, which part a picture is in."""


def overlap(run: TrainedRun, source: Source, samples: int) -> str:
    """In a sentence, what the test samples show that the run was trained on; empty if that is nothing, or not known.

    The test part that the run itself left out shares what its split shares, and no more.

    Args:
        run: with the folder in which it left what its training samples show.
        source: the other data.
        samples: of its test part.
    """
    ours, theirs = run.record.spec.data, source.describe()
    alike = _same_pictures(ours, theirs)
    if alike and all(ours.get(name) == theirs.get(name) for name in _SHARED_OUT):
        return ""
    known, shown = trained_on.read(run.folder), source.shown("test", torch.arange(samples))
    if known and shown:
        counts = {what: sum(name in known for name in names) for what, names in shown.items()}
        found = ", ".join(f"{count} show {_article(what)} {what}" for what, count in counts.items() if count)
        return f"{LEAKS}: of the {samples} test samples {found} that the run was trained on" if found else ""
    if not alike:
        return ""
    before, now = (f"split {_split(data)}, data seed {data.get('seed')}" for data in (ours, theirs))
    return (
        f"{LEAKS}: the run was trained on the same pictures under {before}; here others are the test ({now}): "
        "its training pictures may be among those of the test"
    )


def _same_pictures(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether two descriptions are of the same files, or of the same rooms and figures."""
    if ours.get("kind") != theirs.get("kind"):
        return False
    if ours.get("content") is not None:
        return bool(ours["content"] == theirs.get("content"))
    made = ("version", "seed")
    return ours.get("kind") == "synthetic" and all(ours.get(name) == theirs.get(name) for name in made)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _split(data: Mapping[str, Any]) -> str:
    split = str(data.get("split"))
    return FORMER.get(split, split)
