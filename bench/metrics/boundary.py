"""Contours of masks, their neighbourhoods and the distances to them: exact, on bool maps."""

from __future__ import annotations

from math import isqrt

import torch
from torch import Tensor

_AT_ONCE = 2**24
"""Numbers in the largest intermediate of `distance_to`."""


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
    """All pixels at a Euclidean distance of at most ``radius`` pixels from a pixel that is on.

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


def distance_to(sites: Tensor) -> Tensor:
    """Exact Euclidean distance of every pixel to the nearest site, in pixels; infinite in an image without any.

    Down the columns first, then the least over each row of what is left to go: a pass of H W^2 steps an image.

    Args:
        sites: bool, (B, 1, H, W).

    Returns:
        (B, 1, H, W), float32.
    """
    height, width = sites.shape[-2:]
    down = _down(sites).square()
    along = torch.arange(width, device=sites.device, dtype=torch.float32)
    across = (along[:, None] - along).square()
    images = max(1, _AT_ONCE // (height * width * width))
    parts = [(part.unsqueeze(-2) + across).amin(-1) for part in torch.split(down, images)]
    return torch.cat(parts).sqrt()


def _down(sites: Tensor) -> Tensor:
    """Distance to the nearest site of the same column, (B, 1, H, W); infinite where it has none."""
    rows = torch.arange(sites.shape[-2], device=sites.device, dtype=torch.float32)[:, None]
    above = torch.where(sites, rows, -torch.inf).cummax(-2).values
    below = torch.where(sites, rows, torch.inf).flip(-2).cummin(-2).values.flip(-2)
    return torch.minimum(rows - above, below - rows)


def _unite(into: Tensor, on: Tensor, rows: int, columns: int) -> None:
    """Turn on in ``into`` what is on in ``on`` after a shift; what leaves the picture is lost."""
    height, width = on.shape[-2:]
    if abs(rows) < height and abs(columns) < width:
        part = into[..., max(rows, 0) : height + min(rows, 0), max(columns, 0) : width + min(columns, 0)]
        part |= on[..., max(-rows, 0) : height + min(-rows, 0), max(-columns, 0) : width + min(-columns, 0)]
