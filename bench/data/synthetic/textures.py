"""An atlas of grey patterns: boards, bricks, checks, shelves, window panes ... that rooms and figures are painted with.

A pattern holds the weight between the two colours of a surface, so that a few hundred tiles give any number of
looks. Tiles repeat seamlessly and come with all their halvings, so that far surfaces do not glitter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from bench.data.counter_random import uniform, whole_numbers

TILE = 128
LEVELS = 6
"""Sides of a tile are 128, 64, ..., 4 texels."""
_VARIANTS = 6

Pattern = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""x, y (V, T, T) in [0, 1) of the tile, draws (V, 1, 1, 8) in [0, 1), noise (V, T, T) -> weights (V, T, T)."""


def _line(x: Tensor, width: Tensor | float) -> Tensor:
    """1 within ``width`` periods of a whole number, else 0."""
    return ((x + width / 2) % 1 < width).float()


def _plain(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    return 0.5 * noise


def _cloudy(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    return (noise * 3 - 1).clamp(0, 1)


def _stripes(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    return _line(x * whole_numbers(r[..., 0], 3, 8), 0.2 + 0.5 * r[..., 1])


def _bands(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    return _line(y * whole_numbers(r[..., 0], 2, 6), 0.15 + 0.5 * r[..., 1])


def _checks(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n = 2 * whole_numbers(r[..., 0], 1, 2)
    return ((x * n).floor() + (y * n).floor()) % 2


def _tiles(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n = whole_numbers(r[..., 0], 2, 4)
    return torch.maximum(_line(x * n, 0.08), _line(y * n, 0.08)) * 0.8 + 0.2 * noise


def _planks(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n = whole_numbers(r[..., 0], 4, 7)
    board = (x * n).floor()
    tone = torch.frac(torch.sin(board * 12.9898 + 7 * r[..., 1]) * 437.5)
    joint = _line(y + torch.frac(board * 0.381966), 0.02)
    return (0.15 + 0.5 * tone + 0.3 * noise + 0.5 * torch.maximum(_line(x * n, 0.06), joint)).clamp(0, 1)


def _bricks(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    rows, columns = 2 * whole_numbers(r[..., 0], 4, 6), whole_numbers(r[..., 1], 3, 4)
    row = (y * rows).floor()
    return torch.maximum(_line(y * rows, 0.14), _line(x * columns + row * 0.5, 0.06)) * 0.7 + 0.3 * noise


def _dots(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n = whole_numbers(r[..., 0], 3, 6)
    dx, dy = torch.frac(x * n) - 0.5, torch.frac(y * n) - 0.5
    return (dx.square() + dy.square() < 0.04 + 0.08 * r[..., 1]).float()


def _damask(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n = 2 * math.pi * whole_numbers(r[..., 0], 1, 3)
    wave = torch.sin(n * x) * torch.sin(n * y) + 0.7 * torch.sin(2 * n * x + 6 * r[..., 1]) * torch.cos(3 * n * y)
    return (0.5 + 2 * wave).clamp(0, 1)


def _drawers(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n, m = whole_numbers(r[..., 0], 2, 4), whole_numbers(r[..., 1], 1, 3)
    gap = torch.maximum(_line(y * n, 0.08), _line(x * m, 0.05))
    knob = ((torch.frac(x * m) - 0.5).abs() < 0.08).float() * ((torch.frac(y * n) - 0.6).abs() < 0.08).float()
    return (torch.maximum(gap, knob) * 0.8 + 0.25 * noise).clamp(0, 1)


def _books(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    shelves, books = whole_numbers(r[..., 0], 3, 5), whole_numbers(r[..., 1], 12, 18)
    packed_files, book = (y * shelves).floor(), (x * books).floor()
    tone = torch.frac(torch.sin(packed_files * 78.233 + book * 12.9898 + 9 * r[..., 2]) * 437.5)
    filled = (torch.frac(y * shelves) < 0.55 + 0.35 * torch.frac(tone * 7.3)).float()
    return torch.maximum(tone * filled, _line(y * shelves, 0.1))


def _panes(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n, m = whole_numbers(r[..., 0], 1, 3), whole_numbers(r[..., 1], 1, 2)
    frame = torch.maximum(_line(x * n, 0.1), _line(y * m, 0.08))
    return torch.maximum(frame, 0.45 * (y * 2.2 - 1 + noise).clamp(0, 1))


def _painting(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    rim = torch.maximum(_line(x, 0.12), _line(y, 0.12))
    sun = ((x - 0.25 - 0.5 * r[..., 0]).square() + (y - 0.6).square() < 0.03 * r[..., 1]).float()
    return torch.maximum(rim, (0.7 * _cloudy(x, y, r, noise) + 0.4 * (y < 0.2 + 0.4 * r[..., 2]) + sun).clamp(0, 1))


def _panels(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n, m = whole_numbers(r[..., 0], 1, 2), whole_numbers(r[..., 1], 2, 3)
    dx, dy = (torch.frac(x * n) - 0.5).abs(), (torch.frac(y * m) - 0.5).abs()
    edge = torch.maximum(dx, dy)
    return ((edge > 0.36) & (edge < 0.41)).float() * 0.7 + 0.2 * noise


def _cushions(x: Tensor, y: Tensor, r: Tensor, noise: Tensor) -> Tensor:
    n = whole_numbers(r[..., 0], 2, 3)
    seam = torch.maximum(_line(x * n, 0.06), _line(y + 0.5, 0.06))
    return (seam * 0.8 + 0.3 * noise + 0.3 * (torch.frac(x * n) - 0.5).abs()).clamp(0, 1)


PATTERNS: dict[str, Pattern] = {
    "plain": _plain,
    "cloudy": _cloudy,
    "stripes": _stripes,
    "bands": _bands,
    "checks": _checks,
    "tiles": _tiles,
    "planks": _planks,
    "bricks": _bricks,
    "dots": _dots,
    "damask": _damask,
    "drawers": _drawers,
    "books": _books,
    "panes": _panes,
    "painting": _painting,
    "panels": _panels,
    "cushions": _cushions,
}


def pattern_tiles(patterns: tuple[str, ...], draw: Tensor) -> Tensor:
    """The number of a tile of any of ``patterns``, chosen by ``draw`` in [0, 1) of any shape."""
    names = list(PATTERNS)
    first = torch.tensor([names.index(name) * _VARIANTS for name in patterns], device=draw.device)
    choice = (draw * len(patterns) * _VARIANTS).long()
    return first[choice // _VARIANTS] + choice % _VARIANTS


def _smooth_noise(seed: int, count: int) -> Tensor:
    """Four octaves of seamless value noise in [0, 1], (count, TILE, TILE)."""
    total = torch.zeros(count, 1, TILE, TILE)
    for octave, cells in enumerate((4, 8, 16, 32)):
        grid = uniform(seed, f"texture/octave{octave}", torch.arange(count), cells * cells).view(count, 1, cells, cells)
        wrapped = functional.pad(grid, (1, 1, 1, 1), mode="circular")
        scale = TILE // cells
        smooth = functional.interpolate(wrapped, scale_factor=scale, mode="bicubic", align_corners=False)
        total += smooth[:, :, scale:-scale, scale:-scale] * 0.5 ** (octave + 1)
    return ((total[:, 0] - 0.47) * 1.8 + 0.5).clamp(0, 1)


def atlas(seed: int) -> Tensor:
    """All tiles with their halvings, (tiles, texels of all levels) float32 in [0, 1]; a function of the seed."""
    texel = (torch.arange(TILE) + 0.5) / TILE
    x, y = texel.view(1, 1, -1), texel.view(1, -1, 1)
    tiles = []
    noise = _smooth_noise(seed, len(PATTERNS) * _VARIANTS).view(len(PATTERNS), _VARIANTS, TILE, TILE)
    for pattern, (name, paint) in enumerate(PATTERNS.items()):
        draws = uniform(seed, f"texture/{name}", torch.arange(_VARIANTS), 8).view(_VARIANTS, 1, 1, 8)
        tile = paint(x, y, draws, noise[pattern]).expand(_VARIANTS, TILE, TILE).clamp(0, 1)
        tiles.append(tile)
    levels = [torch.cat(tiles)[:, None]]
    for _ in range(LEVELS - 1):
        levels.append(functional.avg_pool2d(levels[-1], 2))
    return torch.cat([level.flatten(1) for level in levels], dim=1).contiguous()


@lru_cache(maxsize=8)
def level_table(device: torch.device) -> tuple[Tensor, Tensor]:
    """Side length and offset in a tile's row of each level, (LEVELS,) int32 each."""
    sides = [TILE >> level for level in range(LEVELS)]
    offsets = [sum(side * side for side in sides[:level]) for level in range(LEVELS)]
    return torch.tensor(sides, device=device).int(), torch.tensor(offsets, device=device).int()
