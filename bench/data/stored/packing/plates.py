"""Which background belongs to which picture: its own, the scene's, or the median of a scene's pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.data.stored.catalogue import QuartetFiles
from bench.data.stored.files.roots import File
from bench.data.stored.packing.pack import Rows


def number_plates(entries: Sequence[QuartetFiles], rule: str, every: int) -> tuple[list[tuple[File, ...]], Rows]:
    """Number the backgrounds.

    Args:
        entries: the quartets.
        rule: ``none`` for the files that belong to them, ``median`` for the median of each scene's pictures.
        every: every so many pictures of a scene are used.

    Returns:
        The files of each background (of several the median is meant), and the number of each quartet's background, -1
        where it has none.
    """
    plates: dict[tuple[File, ...], int] = {}
    if rule == "median":
        scenes: dict[str, list[File]] = {}
        for entry in entries:
            scenes.setdefault(entry.background, []).append(entry.image)
        keys = [tuple(scenes[entry.background][::every]) for entry in entries]
    else:
        keys = [(entry.partners["bg"],) if "bg" in entry.partners else () for entry in entries]
    numbers = [plates.setdefault(key, len(plates)) if key else -1 for key in keys]
    return list(plates), np.array(numbers, dtype=np.int64)
