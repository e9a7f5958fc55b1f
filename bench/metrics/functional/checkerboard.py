"""The mark that upsampling leaves in a depth map: gradients that know where the upsampling lattice lies.

A true scene does not: its gradients are no different on the lattice's lines, and their signs do not repeat with it.
Both are taken from gradients on a logarithmic or saturated scale, so that a faint pattern all over the picture
counts and a single strong edge of an object, which may happen to lie on a line, does not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from bench.metrics.view import View, numbers, total

PERIODS = (2, 4, 8, 16)
"""Periods of the lattices in pixels: what up to four doublings of the resolution leave."""

QUIET = 1e-3
"""Differences between neighbours far below this fraction of the depth's range count as none."""

ENOUGH = 0.25
"""Share of all pairs of neighbours that must be known. Every second pixel known at random leaves this share."""

_CELL = PERIODS[-1]
_FACTORS = 6
"""So many factors of up to ``1 + 1 / QUIET**2`` have a product that float32 can hold."""


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
    chessboard near 1, independent 16-px blocks 0.5 to 4. NaN where less than `ENOUGH` of all pairs of neighbours have
    a known depth: the phases' means would be noise.
    """
    known = numbers(view.valid)
    locked = _locked(torch.stack([view.depth, view.true_depth]), known)
    score = (locked[0] - locked[1]).clamp(min=0)
    return torch.where(_known_pairs(known) >= ENOUGH, score, torch.nan)


def _known_pairs(known: Tensor) -> Tensor:
    """Share of the pairs of neighbours that are known on both sides, (B,); 0 for a single pixel."""
    across, down = known[..., 1:] * known[..., :-1], known[..., 1:, :] * known[..., :-1, :]
    return (total(across) + total(down)) / max(1, across[0].numel() + down[0].numel())


def _locked(depth: Tensor, known: Tensor) -> Tensor:
    """``L`` of each map, (2, B, 1, H, W) to (2, B), where their pixels are ``known``, (B, 1, H, W) of 0 and 1."""
    # Down is folded where it lies and turned afterwards: 16 x 16 sums are quicker to turn than a picture.
    sums = torch.stack([_fold(depth, known, -1), _fold(depth, known, -2).transpose(-2, -1)], dim=1)
    locked = []
    for period in reversed(PERIODS):
        if period < sums.shape[-1]:
            sums = _halve(sums)
        locked.append(_seam(sums) + _pattern(sums))
    return torch.stack(locked).amax(dim=0).view(depth.shape[:2])


def _fold(depth: Tensor, known: Tensor, axis: int) -> Tensor:
    """Sums over the cells of the widest lattice, by phase: of 1, of the log gradient, of its sign; (2B, 3, 16, 16).

    The log gradient is taken relative to q: 0 without a pair, and a seam, a difference, is the same.
    """
    pair = _with_earlier(known, axis, torch.mul)
    step = (_with_earlier(depth, axis, torch.sub) * (pair / QUIET)).flatten(0, 1)
    square = step.square() + 1
    # A logarithm costs more than all else here, so it is taken of products.
    factors = _rows(square, fill=1.0)
    chunks = factors.chunk(-(-factors.shape[1] // _FACTORS), dim=1)
    # Not `prod`, whose kernel CUDA compiles when it first runs: seconds in the first validation.
    products = [reduce(torch.mul, some.unbind(1)) for some in chunks]
    logs = torch.stack(products).log().sum(0)
    number = _columns(_rows(pair).sum(1)).repeat(len(depth), 1, 1)
    return torch.stack([number, 0.5 * _columns(logs), _columns(_rows(step * square.rsqrt()).sum(1))], dim=1)


def _with_earlier(maps: Tensor, axis: int, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Each pixel joined with its left or upper neighbour, at the place of the later pixel; 0 without a neighbour."""
    length = maps.shape[axis] - 1
    rim = (1, 0) if axis == -1 else (0, 0, 1, 0)
    return functional.pad(join(maps.narrow(axis, 1, length), maps.narrow(axis, 0, length)), rim)


def _rows(maps: Tensor, fill: float = 0.0) -> Tensor:
    """Maps (B, 1, H, W) as the rows of their cells, filled up to whole cells: (B, cells down, 16 * W)."""
    height, width = maps.shape[-2:]
    if height % _CELL or width % _CELL:
        maps = functional.pad(maps, (0, -width % _CELL, 0, -height % _CELL), value=fill)
    return maps.reshape(len(maps), -1, _CELL * maps.shape[-1])


def _columns(lines: Tensor) -> Tensor:
    """`_rows` with their cells summed, (B, 16 * W), summed over the cells across: (B, 16, 16)."""
    return lines.view(len(lines), _CELL, -1, _CELL).sum(2)


def _halve(sums: Tensor) -> Tensor:
    """Sums by phase of a lattice to those of the lattice half as wide: phases p and p + half fall together."""
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
    """``V`` from the sums by phase (B, 2, 3, P, P), both directions pooled, (B,); NaN without a pair."""
    number, _, sign = sums.unbind(dim=2)
    centre = sign.sum(dim=(-2, -1), keepdim=True) / number.sum(dim=(-2, -1), keepdim=True).clamp(min=1)
    off_centre = (sign / number.clamp(min=1) - centre).square()
    return (number * off_centre).sum(dim=(1, 2, 3)) / number.sum(dim=(1, 2, 3))
