"""Room identities: sizes, surfaces, furniture, lamp and camera pose of the rooms that synthetic scenes show.

World coordinates in metres: x right, y up, z into the room; the floor is y = 0, the camera looks along +z.
Everything a ray can meet is the room's shell (6 surfaces) or an axis-aligned box: cupboards, and pictures, doors,
windows and rugs as flat boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.data.counter_random import uniform
from bench.data.synthetic.furniture import ACCENT, CEILING, FLOOR, ITEMS, SLOTS, WALL, Slot, Tone
from bench.data.synthetic.tensor_table import TensorTable
from bench.data.synthetic.textures import pattern_tiles

SHELL = 6
"""Surfaces 0 to 5 of a room: left, right, floor, ceiling, behind the camera, back wall; boxes follow."""
SURFACES = SHELL + len(SLOTS)


_WALLS = ("plain", "plain", "cloudy", "stripes", "damask", "dots", "bricks", "bands", "tiles")
_FLOORS = ("planks", "planks", "tiles", "checks", "cloudy", "plain")
_CEILINGS = ("plain", "plain", "tiles")


@dataclass
class Rooms(TensorTable):
    """Tables with a row per room; (N, ...) float32.

    Attributes:
        size: x extent from -w/2 to w/2, height, length, (N, 3).
        low, high: opposite corners of the boxes, (N, K, 3).
        paint: per surface, (N, 6 + K, 12), columns as in `PAINT`.
        lamp: position, (N, 3).
        warmth: colour of the light, (N, 3).
        ambient: share of light that comes from everywhere, (N,).
        pose: camera's x, y, z, yaw, pitch and focal length in half-widths of the picture, (N, 6).
    """

    size: Tensor
    low: Tensor
    high: Tensor
    paint: Tensor
    lamp: Tensor
    warmth: Tensor
    ambient: Tensor
    pose: Tensor

    def corners(self) -> tuple[Tensor, Tensor]:
        """Opposite corners of the rooms themselves, (N, 3) each."""
        half = self.size[:, 0] / 2
        low = torch.stack([-half, torch.zeros_like(half), torch.zeros_like(half)], dim=1)
        return low, torch.stack([half, self.size[:, 1], self.size[:, 2]], dim=1)


PAINT = ("u_scale", "u_offset", "v_scale", "v_offset", "tile", "glow", "r0", "g0", "b0", "r1", "g1", "b1")
"""Columns of `Rooms.paint`; texture coordinate u = u_scale * metres + u_offset; colours are of weight 0 and what
weight 1 adds."""


def _between(draw: Tensor, limits: tuple[float, float]) -> Tensor:
    return limits[0] + draw * (limits[1] - limits[0])


def _colours(draw: Tensor, tone: Tone) -> Tensor:
    """Two colours from 8 draws in [0, 1): columns r0 g0 b0 and the differences r1 g1 b1, (N, 6)."""
    grey, tint, step = draw[:, 0:1], draw[:, 1:4], draw[:, 4:5]
    first = tone.darkest + tone.spread * ((1 - tone.tint) * grey + tone.tint * tint)
    # As wood and lamplight are: more red than blue.
    first = first * (1 + tone.warm * torch.tensor([1.0, 0.0, -1.6]))
    # The second colour is visibly darker or lighter, and may be of another hue.
    change = torch.where(step < 0.5, -0.12 - 0.5 * step, 0.10 + 0.25 * (step - 0.5))
    second = (first + change + tone.tint * 0.5 * (draw[:, 5:8] - 0.5)).clamp(0.02, 0.98)
    return torch.cat([first, second - first], dim=1)


def make_rooms(seed: int, count: int) -> Rooms:
    """The first ``count`` rooms of a seed."""
    ids = torch.arange(count)
    u = uniform(seed, "rooms", ids, 40)
    width, height, length = _between(u[:, 0], (3.4, 6.5)), _between(u[:, 1], (2.4, 3.1)), _between(u[:, 2], (4.2, 8.0))
    size = torch.stack([width, height, length], dim=1)
    paint = [_shell_paint(seed, ids)]
    lows, highs = [], []
    for number, slot in enumerate(SLOTS):
        low, high, surface = _fill(seed, f"rooms/slot{number}", ids, slot, size)
        lows.append(low)
        highs.append(high)
        paint.append(surface[:, None])
    lamp = torch.stack([(u[:, 3] - 0.5) * 0.6 * width, height - 0.15, length * _between(u[:, 4], (0.15, 0.75))], dim=1)
    warmth = torch.stack([_between(u[:, 5], (0.95, 1.12)), torch.ones(count), _between(u[:, 6], (0.78, 1.08))], dim=1)
    pose = torch.stack(
        [
            (u[:, 7] - 0.5) * 0.5 * width,
            _between(u[:, 8], (1.15, 1.75)),
            _between(u[:, 9], (0.15, 0.5)),
            (u[:, 10] - 0.5) * 0.7,
            _between(u[:, 11], (0.06, 0.28)),
            _between(u[:, 12], (1.0, 1.55)),
        ],
        dim=1,
    )
    return Rooms(
        size=size,
        low=torch.stack(lows, dim=1),
        high=torch.stack(highs, dim=1),
        paint=torch.cat(paint, dim=1),
        lamp=lamp,
        warmth=warmth,
        ambient=_between(u[:, 13], (0.32, 0.62)),
        pose=pose,
    )


def _shell_paint(seed: int, ids: Tensor) -> Tensor:
    """Paint of walls, floor and ceiling, (N, 6, 12): the walls alike, but the back wall sometimes of its own."""
    u = uniform(seed, "rooms/shell", ids, 60)

    def surface(column: int, patterns: tuple[str, ...], tone: Tone, pace: tuple[float, float]) -> Tensor:
        d = u[:, column : column + 12]
        scale, zero = _between(d[:, 0], pace), torch.zeros(len(ids))
        geometry = torch.stack([scale, d[:, 1], scale, d[:, 2], pattern_tiles(patterns, d[:, 3]).float(), zero], dim=1)
        return torch.cat([geometry, _colours(d[:, 4:12], tone)], dim=1)

    wall = surface(0, _WALLS, WALL, (0.5, 1.1))
    floor = surface(12, _FLOORS, FLOOR, (0.4, 0.9))
    ceiling = surface(24, _CEILINGS, CEILING, (0.4, 0.7))
    accent = torch.where(u[:, 48:49] < 0.35, surface(36, _WALLS, ACCENT, (0.4, 1.0)), wall)
    return torch.stack([wall, wall, floor, ceiling, wall, accent], dim=1)


def _fill(seed: int, stream: str, ids: Tensor, slot: Slot, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Corners (N, 3) twice and paint (N, 12) of what stands in a slot; a box that no ray meets where it is empty."""
    u = uniform(seed, stream, ids, 24)
    choice = (u[:, 0] * len(slot.items)).long()
    items = [ITEMS[name] for name in slot.items]

    def pick(values: list[float]) -> Tensor:
        return torch.tensor(values)[choice]

    def extent(ranges: list[tuple[float, float]], column: int) -> Tensor:
        low, high = pick([r[0] for r in ranges]), pick([r[1] for r in ranges])
        return low + u[:, column] * (high - low)

    wide, tall = extent([i.width for i in items], 1), extent([i.height for i in items], 2)
    deep, lift = extent([i.depth for i in items], 3), extent([i.elevation for i in items], 4)
    tiles = torch.stack([pattern_tiles(i.patterns, u[:, 5]) for i in items])[choice, ids]
    along = _between(u[:, 6], slot.along)
    w, _, d = size.unbind(1)
    half = wide / 2
    if slot.wall in ("back", "floor"):
        middle = (-w / 2 + along * w).clamp(-w / 2 + half + 0.02, w / 2 - half - 0.02)
        end = d if slot.wall == "back" else d * 0.75 - 0.2
        x0, x1, z0, z1 = middle - half, middle + half, end - deep, end
    else:
        middle = torch.minimum(along * d, d - 0.8 - half)
        wall = -w / 2 if slot.wall == "left" else w / 2 - deep
        x0, x1, z0, z1 = wall, wall + deep, middle - half, middle + half
    low, high = torch.stack([x0, lift, z0], dim=1), torch.stack([x1, lift + tall, z1], dim=1)
    empty = (u[:, 7] >= slot.filled)[:, None]
    nowhere = torch.tensor([0.0, -100.0, -100.0])
    low, high = torch.where(empty, nowhere, low), torch.where(empty, nowhere, high)
    # The pattern is fitted once into the front face.
    start = x0 if slot.wall in ("back", "floor") else z0
    rise = z0 if slot.wall == "floor" else lift
    up = deep if slot.wall == "floor" else tall
    glow = pick([i.glow for i in items])
    geometry = torch.stack([1 / wide, -start / wide, 1 / up, -rise / up, tiles.float(), glow], dim=1)
    colours = torch.stack([_colours(u[:, 8:16], i.tone) for i in items])[choice, ids]
    return low, high, torch.cat([geometry, colours], dim=1)
