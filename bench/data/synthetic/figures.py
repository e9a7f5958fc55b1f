"""Object identities: people, animals, lamps, vases, chairs ... each put together of a few solids.

A figure stands on y = 0 and is one unit high; solids are ellipsoids, (tapered) cylinders and blocks, each given by
the affine map from the figure's coordinates to the solid's own, in which it fills [-1, 1] along every axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from bench.data.counter_random import uniform
from bench.data.synthetic.textures import pattern_tiles

ROUND, BLOCKS = 6, 2
"""Solids of each kind that a figure can have; parts 0 to 5 are round, 6 and 7 are blocks."""
PARTS = ROUND + BLOCKS
COLOURS = 4


@dataclass(frozen=True)
class Solid:
    """One solid of a family: centre and half extents in figure heights, ``lean`` sideways in degrees.

    ``taper`` is a cylinder's radius at its top over that at its bottom; ``ball`` and ``block`` have none.
    """

    shape: str
    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    colour: int
    lean: float = 0.0
    taper: float = 1.0


@dataclass(frozen=True)
class Family:
    """A kind of figure: its solids and its range of heights in metres."""

    height: tuple[float, float]
    solids: tuple[Solid, ...]


FAMILIES: dict[str, Family] = {
    "person": Family(
        (1.45, 1.9),
        (
            Solid("ball", (0, 0.92, 0), (0.055, 0.08, 0.06), 0),
            Solid("tube", (0, 0.66, 0), (0.12, 0.18, 0.075), 1, taper=1.15),
            Solid("tube", (-0.06, 0.25, 0), (0.055, 0.25, 0.06), 2, lean=2, taper=1.3),
            Solid("tube", (0.06, 0.25, 0), (0.055, 0.25, 0.06), 2, lean=-2, taper=1.3),
            Solid("ball", (-0.165, 0.64, 0.01), (0.035, 0.2, 0.04), 1, lean=-9),
            Solid("ball", (0.165, 0.64, 0.01), (0.035, 0.2, 0.04), 1, lean=9),
        ),
    ),
    "robed": Family(
        (1.3, 1.8),
        (
            Solid("ball", (0, 0.91, 0), (0.06, 0.09, 0.065), 0),
            Solid("tube", (0, 0.41, 0), (0.19, 0.41, 0.17), 1, taper=0.42),
            Solid("ball", (-0.13, 0.62, 0.03), (0.04, 0.17, 0.05), 2, lean=-20),
            Solid("ball", (0.13, 0.62, 0.03), (0.04, 0.17, 0.05), 2, lean=20),
            Solid("ball", (0, 0.96, 0.02), (0.07, 0.05, 0.07), 3),
        ),
    ),
    "dog": Family(
        (0.5, 0.95),
        (
            Solid("ball", (0, 0.55, 0), (0.5, 0.19, 0.19), 1, lean=4),
            Solid("ball", (0.5, 0.82, 0), (0.2, 0.18, 0.15), 0),
            Solid("tube", (-0.33, 0.23, -0.09), (0.07, 0.25, 0.07), 1),
            Solid("tube", (0.33, 0.23, -0.09), (0.07, 0.25, 0.07), 1),
            Solid("tube", (-0.33, 0.23, 0.09), (0.07, 0.25, 0.07), 2),
            Solid("tube", (0.33, 0.23, 0.09), (0.07, 0.25, 0.07), 2),
        ),
    ),
    "bird": Family(
        (0.7, 1.3),
        (
            Solid("ball", (0, 0.5, 0), (0.22, 0.36, 0.22), 1, lean=-12),
            Solid("ball", (0.1, 0.87, 0), (0.13, 0.13, 0.13), 0),
            Solid("ball", (0.25, 0.85, 0), (0.12, 0.03, 0.04), 3),
            Solid("tube", (-0.07, 0.09, 0), (0.03, 0.1, 0.03), 3),
            Solid("tube", (0.09, 0.09, 0), (0.03, 0.1, 0.03), 3),
        ),
    ),
    "lamp": Family(
        (1.1, 1.75),
        (
            Solid("tube", (0, 0.02, 0), (0.15, 0.02, 0.15), 1),
            Solid("tube", (0, 0.38, 0), (0.025, 0.38, 0.025), 1),
            Solid("tube", (0, 0.85, 0), (0.19, 0.15, 0.19), 0, taper=0.6),
        ),
    ),
    "vase": Family(
        (0.5, 1.1),
        (
            Solid("ball", (0, 0.38, 0), (0.3, 0.36, 0.3), 1),
            Solid("tube", (0, 0.06, 0), (0.17, 0.06, 0.17), 2, taper=1.1),
            Solid("tube", (0, 0.8, 0), (0.12, 0.2, 0.12), 1, taper=1.4),
            Solid("tube", (0, 0.42, 0), (0.3, 0.06, 0.3), 3),
        ),
    ),
    "plant": Family(
        (0.8, 1.7),
        (
            Solid("tube", (0, 0.14, 0), (0.14, 0.14, 0.14), 3, taper=1.35),
            Solid("tube", (0, 0.4, 0), (0.025, 0.2, 0.025), 2),
            Solid("ball", (0, 0.8, 0), (0.2, 0.2, 0.2), 1),
            Solid("ball", (-0.16, 0.64, 0.05), (0.2, 0.13, 0.16), 1, lean=25),
            Solid("ball", (0.16, 0.66, -0.05), (0.2, 0.13, 0.16), 1, lean=-25),
        ),
    ),
    "fir": Family(
        (1.0, 1.9),
        (
            Solid("tube", (0, 0.09, 0), (0.06, 0.09, 0.06), 3),
            Solid("tube", (0, 0.3, 0), (0.3, 0.15, 0.3), 1, taper=0.45),
            Solid("tube", (0, 0.55, 0), (0.23, 0.15, 0.23), 1, taper=0.4),
            Solid("tube", (0, 0.84, 0), (0.17, 0.16, 0.17), 1, taper=0.05),
        ),
    ),
    "ball": Family((0.5, 0.85), (Solid("ball", (0, 0.5, 0), (0.5, 0.5, 0.5), 1),)),
    "snowman": Family(
        (0.9, 1.6),
        (
            Solid("ball", (0, 0.24, 0), (0.24, 0.24, 0.24), 1),
            Solid("ball", (0, 0.58, 0), (0.18, 0.18, 0.18), 2),
            Solid("ball", (0, 0.83, 0), (0.12, 0.12, 0.12), 0),
            Solid("tube", (0, 0.95, 0), (0.09, 0.06, 0.09), 3),
        ),
    ),
    "chair": Family(
        (0.85, 1.1),
        (
            Solid("block", (0, 0.46, 0), (0.25, 0.045, 0.25), 1),
            Solid("block", (0, 0.75, -0.22), (0.25, 0.25, 0.035), 1),
            Solid("tube", (-0.2, 0.22, -0.2), (0.035, 0.22, 0.035), 2),
            Solid("tube", (0.2, 0.22, -0.2), (0.035, 0.22, 0.035), 2),
            Solid("tube", (-0.2, 0.22, 0.2), (0.035, 0.22, 0.035), 2),
            Solid("tube", (0.2, 0.22, 0.2), (0.035, 0.22, 0.035), 2),
        ),
    ),
    "armchair": Family(
        (0.8, 1.05),
        (
            Solid("block", (0, 0.25, 0.03), (0.42, 0.25, 0.36), 1),
            Solid("block", (0, 0.65, -0.3), (0.42, 0.35, 0.12), 1),
            Solid("tube", (-0.42, 0.35, 0), (0.1, 0.33, 0.38), 2),
            Solid("tube", (0.42, 0.35, 0), (0.1, 0.33, 0.38), 2),
        ),
    ),
    "table": Family(
        (0.65, 0.9),
        (
            Solid("block", (0, 0.96, 0), (0.6, 0.04, 0.4), 1),
            Solid("tube", (-0.5, 0.46, -0.3), (0.05, 0.46, 0.05), 2),
            Solid("tube", (0.5, 0.46, -0.3), (0.05, 0.46, 0.05), 2),
            Solid("tube", (-0.5, 0.46, 0.3), (0.05, 0.46, 0.05), 2),
            Solid("tube", (0.5, 0.46, 0.3), (0.05, 0.46, 0.05), 2),
        ),
    ),
    "robot": Family(
        (0.9, 1.7),
        (
            Solid("block", (0, 0.57, 0), (0.17, 0.22, 0.12), 1),
            Solid("block", (0, 0.89, 0), (0.11, 0.1, 0.1), 0),
            Solid("tube", (-0.09, 0.18, 0), (0.05, 0.18, 0.06), 2),
            Solid("tube", (0.09, 0.18, 0), (0.05, 0.18, 0.06), 2),
            Solid("tube", (-0.22, 0.56, 0), (0.045, 0.2, 0.045), 2, lean=-6),
            Solid("tube", (0.22, 0.56, 0), (0.045, 0.2, 0.045), 2, lean=6),
        ),
    ),
    "suitcase": Family(
        (0.6, 0.95),
        (
            Solid("block", (0, 0.38, 0), (0.3, 0.36, 0.13), 1),
            Solid("block", (0, 0.95, 0), (0.14, 0.04, 0.03), 3),
            Solid("tube", (-0.11, 0.82, 0), (0.018, 0.13, 0.018), 3),
            Solid("tube", (0.11, 0.82, 0), (0.018, 0.13, 0.018), 3),
        ),
    ),
    "cone": Family(
        (0.6, 1.0),
        (
            Solid("block", (0, 0.03, 0), (0.34, 0.03, 0.34), 1),
            Solid("tube", (0, 0.53, 0), (0.25, 0.47, 0.25), 1, taper=0.15),
            Solid("tube", (0, 0.55, 0), (0.205, 0.1, 0.205), 3, taper=0.8),
        ),
    ),
}

_PATTERNS = ("plain", "plain", "plain", "stripes", "bands", "checks", "cloudy", "dots", "damask")
_ABSENT_SOLID = (-1.0, 0.0, 0.0)


@dataclass
class Figures:
    """Tables with one row per figure; P = 8 parts.

    Attributes:
        matrix: linear part of the map from figure to solid coordinates, (N, P, 3, 3) float64.
        centre: centres of the solids, (N, P, 3) float64.
        profile: k of a round solid x^2 + z^2 <= k0 + k1 y + k2 y^2, |y| <= 1, (N, P, 3) float64; k0 = -1 where the
            part is missing; unused by blocks, whose k0 is 1 or -1.
        colour: per part r0 g0 b0 and what a texture weight of 1 adds, (N, P, 6).
        tile: texture of each part, (N, P) float32 (whole numbers).
        height: metres, (N,).
        reach: greatest horizontal distance from the figure's axis, in figure heights, (N,).
    """

    matrix: Tensor
    centre: Tensor
    profile: Tensor
    colour: Tensor
    tile: Tensor
    height: Tensor
    reach: Tensor

    def rows(self, which: Tensor) -> Self:
        """The figures of those numbers, (B,) int64."""
        return type(self)(**{f.name: getattr(self, f.name)[which] for f in fields(self)})

    def to(self, device: torch.device | str) -> Self:
        """The tables on another device."""
        return type(self)(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def _profile(solid: Solid) -> tuple[float, float, float]:
    """Squared radius over y; a tapered tube's wider end has radius 1."""
    if solid.shape == "ball":
        return (1.0, 0.0, -1.0)
    wide = max(1.0, solid.taper)
    a, b = (1 + solid.taper) / (2 * wide), (1 - solid.taper) / (2 * wide)
    return (a * a, -2 * a * b, b * b)


def _slotted(family: Family) -> list[Solid | None]:
    """A family's solids in the slots of their kind, None where a slot stays empty."""
    blocks = [solid for solid in family.solids if solid.shape == "block"]
    others = [solid for solid in family.solids if solid.shape != "block"]
    return [*others, *[None] * (ROUND - len(others)), *blocks, *[None] * (BLOCKS - len(blocks))]


def make_figures(seed: int, count: int) -> Figures:
    """The first ``count`` figures of a seed; families take turns."""
    ids = torch.arange(count)
    u = uniform(seed, "figures", ids, 8 + 3 * PARTS + 8 * COLOURS).double()
    nothing = Solid("block", (0, -50, 0), (1e-3, 1e-3, 1e-3), 0)
    slots = [_slotted(family) for family in FAMILIES.values()]
    family = ids % len(FAMILIES)

    def table(value: list[list[tuple[float, ...]]]) -> Tensor:
        return torch.tensor(value, dtype=torch.float64)[family]

    solids = [[solid or nothing for solid in row] for row in slots]
    centre = table([[s.centre for s in row] for row in solids])
    half = table([[s.half for s in row] for row in solids])
    profile = table([[_profile(s) if s else _ABSENT_SOLID for s in row] for row in slots])
    lean = torch.tensor([[math.radians(s.lean) for s in row] for row in solids], dtype=torch.float64)[family]
    slot = torch.tensor([[s.colour for s in row] for row in solids])[family]

    girth = 0.85 + 0.35 * u[:, 0:1]
    own = 0.88 + 0.24 * u[:, 8 : 8 + PARTS]
    half = half * torch.stack([girth * own, torch.ones_like(own), girth * own], dim=-1)
    centre = centre * torch.stack([girth, torch.ones_like(girth), girth], dim=-1)
    lean = lean * (0.4 + 1.6 * u[:, 8 + PARTS : 8 + 2 * PARTS])
    cos, sin, zero = torch.cos(lean), torch.sin(lean), torch.zeros_like(lean)
    turn = torch.stack([cos, sin, zero, -sin, cos, zero, zero, zero, zero + 1], dim=-1).view(count, PARTS, 3, 3)

    limits = torch.tensor([f.height for f in FAMILIES.values()], dtype=torch.float64)[family]
    present = (profile[..., 0] > 0)[..., None]
    reach = (centre[..., 0::2].abs() + half[..., 0::2]) * present
    return Figures(
        matrix=turn / half[..., None],
        centre=centre,
        profile=profile,
        colour=_palette(u[:, 8 + 3 * PARTS :].float()).gather(1, slot[..., None].expand(-1, -1, 6)),
        tile=pattern_tiles(_PATTERNS, u[:, 8 + 2 * PARTS : 8 + 3 * PARTS].float()).float(),
        height=(limits[:, 0] + u[:, 1] * (limits[:, 1] - limits[:, 0])),
        reach=reach.square().sum(-1).sqrt().amax(-1),
    )


def _palette(u: Tensor) -> Tensor:
    """Four pairs of colours from (N, 32) draws, from nearly black to nearly white, often strong, (N, 4, 6)."""
    d = u.view(len(u), COLOURS, 8)
    first = (0.04 + 0.92 * (0.55 * d[..., 0:1] + 0.45 * d[..., 1:4])).clamp(0, 1)
    strong = (d[..., 1:4] - 0.5) * torch.where(d[..., 4:5] < 0.5, 0.7, 0.1)
    first = (first + strong).clamp(0.02, 0.96)
    second = (first + (d[..., 5:8] - 0.5) * 0.9).clamp(0.02, 0.96)
    return torch.cat([first, second - first], dim=-1)
