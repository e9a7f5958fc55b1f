"""What a run was trained on, by names that hold in other data too: a file in its folder, for evaluations elsewhere."""

from __future__ import annotations

from pathlib import Path

import torch

from bench.core import files
from bench.core.errors import BadData, CannotWrite
from bench.data.source import Source

FILE = "trained_on.txt"
"""Of a run's folder: names as of `Source.shown`, one a line."""


def keep(folder: Path, source: Source, samples: int, before: frozenset[str] = frozenset()) -> None:
    """Write down what a run's training samples show, as far as it is known.

    Args:
        folder: of the run.
        source: of its samples.
        samples: that it trains on.
        before: what the weights that it starts from were trained on.

    Raises:
        CannotWrite: it cannot be written.
    """
    available = source.count("train")
    ids = torch.arange(samples if available is None else min(samples, available))
    names = sorted(before | {name for some in source.shown("train", ids).values() for name in some if name})
    if not names:
        return
    try:
        files.replace(folder / FILE, "\n".join(names) + "\n")
    except OSError as error:
        raise CannotWrite.of(f"to {folder}", error) from error


def read(folder: Path) -> frozenset[str]:
    """What a run's training samples showed; empty where it left no word of it.

    Raises:
        BadData: it left word, which cannot be read.
    """
    path = folder / FILE
    try:
        return frozenset(path.read_text(encoding="utf-8").split("\n")) - {""}
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        reason = f"cannot be read: {getattr(error, 'strerror', None) or 'no text in UTF-8'}"
        advice = "it tells which pictures the run was trained on; without the file that counts as not known"
        raise BadData([(str(path), reason)], advice) from error
