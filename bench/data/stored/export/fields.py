"""The fields of a quartet as pixels of files."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch import Tensor

from bench.data.source import Source
from bench.data.stored.export.writers import Writer
from registry.contract import Quartet


def pixels_of(image: Tensor) -> npt.NDArray[np.uint8]:
    """(3, H, W) in [0, 1] to (H, W, 3)."""
    pixels: npt.NDArray[np.uint8] = (image.cpu() * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    return pixels


def fields_of(
    quartet: Quartet, i: int, source: Source, writer: Writer
) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    """Name and pixels of each field but the background, as a layout has them."""
    yield "bg_fg", pixels_of(quartet.bg_fg[i])
    if quartet.mask is not None:
        yield "mask", (quartet.mask[i, 0].cpu() * 255).round().byte().numpy()
    if quartet.depth is not None and quartet.valid is not None:
        known = quartet.valid[i, 0].cpu().numpy() > 0.5
        yield "depth", writer.depth(quartet.depth[i, 0].cpu().numpy(), known, source.encoding)


def lost_fields(quartet: Quartet, i: int, depth_kept: bool) -> tuple[str, ...]:
    """Fields with unknown pixels that are written as if they were known."""
    known = {"mask": quartet.mask_valid, "depth": None if depth_kept else quartet.valid}
    values = {"mask": quartet.mask, "depth": quartet.depth}
    return tuple(
        field
        for field, valid in known.items()
        if values[field] is not None and valid is not None and bool((valid[i] < 0.5).any())
    )


def box_of(quartet: Quartet, i: int) -> tuple[int, int, int, int]:
    """The box of the object of a quartet: left, top, right, bottom in pixels; zeros without an object."""
    if quartet.mask is None:
        return 0, 0, 0, 0
    inside = quartet.mask[i, 0].cpu() > 0.5
    rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
    if not len(rows):
        return 0, 0, 0, 0
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
