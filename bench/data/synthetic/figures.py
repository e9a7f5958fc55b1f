"""Object identities as tables: solids with their places, extents, colours and textures, varied from a seed.

Each solid is given by the affine map from the figure's coordinates to its own, in which it fills [-1, 1] along every
axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.data.counter_random import uniform
from bench.data.synthetic.families import BLOCKS, COLOURS, FAMILIES, PARTS, ROUND, Family, Solid
from bench.data.synthetic.tensor_table import TensorTable
from bench.data.synthetic.textures import pattern_tiles

_PATTERNS = ("plain", "plain", "plain", "stripes", "bands", "checks", "cloudy", "dots", "damask")
_ABSENT_SOLID = (-1.0, 0.0, 0.0)


@dataclass
class Figures(TensorTable):
    """Tables with a row per figure; P = 8 parts.

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
        """Each sample's row of a table by family."""
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
