"""Which test samples the rows of a table of images are."""

from __future__ import annotations

from torch import Tensor

from bench.data.source import Source


def sample_columns(source: Source, ids: Tensor) -> dict[str, list[float | int]]:
    """Number, background group and object group of test samples, by the columns that tables of images begin with.

    Args:
        source: of the samples.
        ids: their numbers in the test part, (B,) int64.
    """
    backgrounds, objects = source.groups("test", ids)
    return {"sample": ids.tolist(), "background": backgrounds.tolist(), "object": objects.tolist()}
