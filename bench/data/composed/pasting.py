"""Objects pasted into pictures, and the depth of what comes of it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bench.data.composed.decoded import LARGEST, Cutouts

_FOOT_TAPS, _FOOT_REACH = 5, 0.02


def paste(
    cutouts: Cutouts, item: Tensor, longer: Tensor, corner: Tensor, box: Tensor, flipped: Tensor, size: int
) -> Tensor:
    """Objects in their boxes on nothing, premultiplied, (B, 4, size, size).

    Args:
        cutouts: decoded for that size.
        item: which, (B,).
        longer: length of the longer side, (B,); this and what follows in fractions of the picture.
        corner, box: upper left corner and extent of the box, (B, 2) each, right and down.
        flipped: left for right, (B,) bool.
        size: side of the picture.
    """
    row, first, slope = canvas_places(cutouts, item, longer, corner, box, flipped)
    canvas = cutouts.canvases[row].float()
    centre = (torch.arange(size, device=item.device) + 0.5) / size
    at = (first[:, :, None] + slope[:, :, None] * centre) * (2 / canvas.shape[-1]) - 1
    grid = torch.stack([at[:, 0, None, :].expand(-1, size, -1), at[:, 1, :, None].expand(-1, -1, size)], dim=-1)
    return functional.grid_sample(canvas, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def canvas_places(
    cutouts: Cutouts, item: Tensor, longer: Tensor, corner: Tensor, box: Tensor, flipped: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Which canvas (B,) each object is taken from, and where: ``first + slope * picture`` per axis, (B, 2) each.

    Arguments are those of `paste`; ``first`` and ``slope`` are in pixels of the canvas.
    """
    level = (2 * torch.log2(LARGEST / longer.double())).long().clamp(0, cutouts.levels - 1)
    row = item * cutouts.levels + level
    slope = cutouts.extent[row] / box
    first = -corner * slope
    mirror = torch.stack([flipped, torch.zeros_like(flipped)], dim=1)
    first = torch.where(mirror, cutouts.extent[row] - first, first) + cutouts.gutter
    return row, first, torch.where(mirror, -slope, slope)


def composite_depth(depths: Tensor, foot: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Depth of the composite and where it is known, (B, H, W) each.

    Args:
        depths: of the background, (B, H, W) in [0, 1], -1 where unknown.
        foot: where the object stands, (B, 2) in fractions of the picture, right and down.
        alpha: of the object, (B, H, W).
    """
    around = depths.flatten(1).gather(1, pixels_around(foot, depths.shape[-1]))
    known = around >= 0
    ordered = torch.where(known, around, torch.inf).sort(dim=1).values
    count = known.sum(1)
    stands = ordered.gather(1, ((count - 1) // 2).clamp(min=0)[:, None])[:, :, None]
    behind = torch.where(depths < 0, torch.inf, depths)
    depth = torch.where(alpha > 0.5, torch.minimum(stands, behind), behind)
    valid = torch.where(alpha > 0.5, stands < torch.inf, depths >= 0)
    return torch.where(valid, depth, 0.0), valid.float()


def pixels_around(foot: Tensor, side: int) -> Tensor:
    """The pixels of a picture, counted row by row, whose depth an object takes that stands there, (B, 25) int64.

    Args:
        foot: as for `composite_depth`.
        side: of the picture.
    """
    offsets = torch.linspace(-_FOOT_REACH, _FOOT_REACH, _FOOT_TAPS, device=foot.device)
    x, y = (((foot[:, axis, None] + offsets) * side - 0.5 * axis).long().clamp(0, side - 1) for axis in (0, 1))
    return (y[:, :, None] * side + x[:, None, :]).flatten(1)
