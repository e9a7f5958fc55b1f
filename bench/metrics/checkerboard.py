"""The mark that upsampling leaves in a depth map: gradients that know where the upsampling lattice lies.

A true scene does not: its gradients are no different on the lattice's lines, and their signs do not repeat with it.
Both are taken from gradients on a logarithmic or saturated scale, so that a faint pattern all over the picture
counts and a single strong edge of an object, which may happen to lie on a line, does not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.metrics.view import View

PERIODS = (2, 4, 8, 16)
"""Periods of the lattices in pixels: what one to four doublings of the resolution leave."""

QUIET = 1e-3
"""Differences between neighbours far below this fraction of the depth's range count as none."""


def depth_checkerboard(view: View) -> Tensor:
    """Gradient locked to an upsampling lattice, in excess of the truth's: ``max(0, L(p) - L(t))``, 0 is best.

    With g the difference of a pixel to its left (and, separately, upper) neighbour, both of known depth, and
    q = 0.001, the lattice of period P (lines before the columns 0, P, 2P ...) carries in a depth map

    - seams: ``S = mean(log sqrt(g^2 + q^2))`` on the lattice's lines minus the same off them, where positive:
      how many e-folds steeper the map is across block edges (nearest-neighbour, independent patches);
    - a pattern: ``V``, the variance over the P x P phases of the mean of ``g / sqrt(g^2 + q^2)`` at each phase:
      by Parseval the energy, in [0, 1], of the gradient's sign at the lattice's frequencies
      (transposed convolutions, sub-pixel shuffles).

    ``L = max over P of (S + V)``, P = 2, 4, 8, 16. Smooth or noisy predictions score near 0, a pixel
    chessboard near 1, independent 16-px blocks 0.5 to 4. NaN where no two neighbours have a known depth.
    """
    maps, valid = torch.cat([view.depth, view.true_depth]), torch.cat([view.valid, view.valid])
    predicted, true = _locked(maps, valid).chunk(2)
    return (predicted - true).clamp(min=0)


def _locked(depth: Tensor, valid: Tensor) -> Tensor:
    """``L`` of each map, (B,)."""
    # Down is folded where it lies and turned afterwards: 16 x 16 sums are quicker to turn than a picture.
    sums = torch.stack([_fold(depth, valid, -1), _fold(depth, valid, -2).transpose(-2, -1)], dim=1)
    locked = []
    for period in reversed(PERIODS):
        if period < sums.shape[-1]:
            sums = _halve(sums)
        locked.append(_seam(sums) + _pattern(sums))
    return torch.stack(locked).amax(dim=0)


def _fold(depth: Tensor, valid: Tensor, axis: int) -> Tensor:
    """Sums over the cells of the widest lattice, by phase: of 1, of the log gradient, of its sign; (B, 3, 16, 16)."""
    length = depth.shape[axis] - 1
    pair = (valid.narrow(axis, 1, length) & valid.narrow(axis, 0, length)).float()
    step = depth.diff(dim=axis)
    square = step.square() + QUIET**2
    # A step belongs to the later of its two pixels.
    rows, columns = (
        _phases(side - of_pair, side, depth) for side, of_pair in zip(depth.shape[-2:], pair.shape[-2:], strict=True)
    )
    kinds = (pair, 0.5 * square.log() * pair, step * square.rsqrt() * pair)
    return torch.cat([rows.T @ (kind @ columns) for kind in kinds], dim=1)


def _phases(first: int, end: int, like: Tensor) -> Tensor:
    """Which place in its lattice cell each of the pixels first ... end - 1 has, one-hot, (end - first, 16)."""
    lattice = PERIODS[-1]
    place = torch.arange(first, end, device=like.device) % lattice
    return (place[:, None] == torch.arange(lattice, device=like.device)).to(like.dtype)


def _halve(sums: Tensor) -> Tensor:
    """Sums by phase of one lattice to those of the lattice half as wide: phases p and p + half fall together."""
    half = sums.shape[-1] // 2
    rows = sums[..., :half, :] + sums[..., half:, :]
    return rows[..., :half] + rows[..., half:]


def _seam(sums: Tensor) -> Tensor:
    """``S`` from the sums by phase (B, 2, 3, P, P), (B,); 0 where no pair lies on, or none off the lines."""
    number, loud, _ = sums.unbind(dim=2)
    on = loud[..., 0].sum(dim=(1, 2)) / number[..., 0].sum(dim=(1, 2))
    off = loud[..., 1:].sum(dim=(1, 2, 3)) / number[..., 1:].sum(dim=(1, 2, 3))
    return torch.nan_to_num(on - off, nan=0.0).clamp(min=0)


def _pattern(sums: Tensor) -> Tensor:
    """``V`` from the sums by phase (B, 2, 3, P, P), both directions pooled, (B,); NaN where there is no pair."""
    number, _, sign = sums.unbind(dim=2)
    centre = sign.sum(dim=(-2, -1), keepdim=True) / number.sum(dim=(-2, -1), keepdim=True).clamp(min=1)
    off_centre = (sign / number.clamp(min=1) - centre).square()
    return (number * off_centre).sum(dim=(1, 2, 3)) / number.sum(dim=(1, 2, 3))
