"""Cells of two names that are one training: a loss of a head that the model lacks, or the data, trains nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bench.core.record import Record
from bench.results.board import Row
from registry.losses.recipe import HEADS

_SECTION = re.compile(rf", (?=(?:{'|'.join(HEADS)}|weighting)[~:])")


def one_training(a: Row, b: Row) -> Iterator[str]:
    """A note where two cells differ in the text of their loss alone, and the same part of it trained both."""
    first, second = a.any, b.any
    if a.recipe == b.recipe or not _trained_by(first) or _trained_by(first) != _trained_by(second):
        return
    left, right = (record.spec.model_copy(update={"recipe": "", "seed": 0}) for record in (first, second))
    if left == right:
        yield f"both are one training: {_trained_by(first)}; their difference says nothing of the losses"


def _trained_by(record: Record) -> str:
    """The part of its recipe whose terms were computed in training; empty for what was not trained."""
    heads = {name.partition(".")[0] for epoch in record.epochs[:1] for name in epoch.train_loss if "." in name}
    sections = _SECTION.split(record.spec.recipe)
    return ", ".join(part for part in sections if heads and re.split("[~:]", part)[0] in {*heads, "weighting"})
