"""Contours of masks and their neighbourhoods: exact, on bool maps, as a few shifted unions."""

from __future__ import annotations

from math import isqrt

import torch
from torch import Tensor


def contour(on: Tensor, known: Tensor | None = None) -> Tensor:
    """The pixels of a mask that touch, by an edge, a pixel outside it.

    The picture's rim is no contour: an object that the frame cuts goes on beyond it. Nor is the rim of what is known.

    Args:
        on: the mask, bool, (B, 1, H, W).
        known: where it is known, bool, (B, 1, H, W); None for everywhere.
    """
    off, touching = ~on if known is None else known & ~on, torch.zeros_like(on)
    for rows, columns in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        _unite(touching, off, rows, columns)
    return on & touching


def dilate(on: Tensor, radius: float) -> Tensor:
    """All pixels at a Euclidean distance of at most ``radius`` pixels from one that is on.

    Args:
        on: bool, (B, 1, H, W).
        radius: in pixels; the work grows with it, the exactness does not depend on it.
    """
    reach = int(radius)
    half_widths = [isqrt(int(radius * radius) - row * row) for row in range(reach + 1)]
    wide, grown = on, torch.zeros_like(on)
    for half_width in range(reach + 1):
        if half_width:
            wide = wide.clone()
            _unite(wide, on, 0, half_width)
            _unite(wide, on, 0, -half_width)
        for row in (row for row, width in enumerate(half_widths) if width == half_width):
            _unite(grown, wide, row, 0)
            if row:
                _unite(grown, wide, -row, 0)
    return grown


def _unite(into: Tensor, on: Tensor, rows: int, columns: int) -> None:
    """Turn on in ``into`` what is on in ``on`` after a shift; what leaves the picture is lost."""
    height, width = on.shape[-2:]
    if abs(rows) < height and abs(columns) < width:
        part = into[..., max(rows, 0) : height + min(rows, 0), max(columns, 0) : width + min(columns, 0)]
        part |= on[..., max(-rows, 0) : height + min(-rows, 0), max(-columns, 0) : width + min(-columns, 0)]
