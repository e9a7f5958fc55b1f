"""How a sample is set up: which room and figure, where the camera, the figure and the lamp are.

All of it is worked out in float64, as tables with a row per sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from bench.data.counter_random import uniform
from bench.data.synthetic.figures import Figures
from bench.data.synthetic.raycast import Cameras, Solids
from bench.data.synthetic.rooms import Rooms
from bench.data.synthetic.tensor_table import TensorTable

_FREE_FROM_WALL = 0.85
"""Figures keep this far, in metres, from walls and so from the furniture along them."""
_TALLEST, _WIDEST = 0.66, 0.5
"""A figure spans at most this much of the picture's height and width."""


@dataclass
class Scenes(TensorTable):
    """Scenes ready to be rendered; (B, ...) float64.

    Attributes:
        view: the camera.
        rooms, figures: a row per sample.
        solids: the figure's parts as the camera sees them.
        lamp: position in the world, (B, 3).
        light: colour of the light times exposure, (B, 3).
        ambient: share of light from everywhere, (B,).
        foot: where the figure stands, (B, 3), and ``radius`` (B,) of its shadow, both in metres.
        middle: picture coordinates x, y of the figure's middle, (B, 2).
        lampwards: the lamp's direction from the figure in each part's coordinates, (B, P, 3), see `Solids`.
        metric: per part the symmetric matrix that gives the squared length of a normal, as xx, yy, zz, xy, xz, yz,
            (B, P, 6).
        span: height of the figure in picture heights, (B,).
        fade: how far the figure's colours go towards the wall's, (B,): some figures are hard to distinguish from it.
    """

    view: Cameras
    rooms: Rooms
    figures: Figures
    solids: Solids
    lamp: Tensor
    light: Tensor
    ambient: Tensor
    foot: Tensor
    radius: Tensor
    middle: Tensor
    lampwards: Tensor
    metric: Tensor
    span: Tensor
    fade: Tensor

    def split(self, step: int) -> Iterator[Scenes]:
        """The same scenes, at most ``step`` at a time."""
        for start in range(0, len(self.foot), step):
            yield self.rows(slice(start, start + step))


def _between(draw: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    return low + draw * (high - low)


def _apply(matrix: Tensor, vector: Tensor) -> Tensor:
    """(B, P, 3, 3) times (B, P, 3) or (B, 1, 3)."""
    return (matrix * vector[..., None, :]).sum(-1)


def place_scenes(rooms: Rooms, figures: Figures, seed: int, stream: str, ids: Tensor) -> Scenes:
    """Draw what differs between two samples of the same room and figure, and place everything.

    Args:
        rooms, figures: a row per sample.
        seed, stream, ids: what the draws depend on, see `counter_random.uniform`.
    """
    u = uniform(seed, f"{stream}/stage", ids, 20).double()
    pose = rooms.pose.double()
    width, _, length = rooms.size.double().unbind(1)
    # Cameras aside of the middle look back to it.
    yaw = pose[:, 3] + (u[:, 0] - 0.5) * 0.35 - torch.atan(pose[:, 0] / length)
    pitch = pose[:, 4] + (u[:, 1] - 0.5) * 0.12
    roll = (u[:, 2] - 0.5) * 0.06
    focal = pose[:, 5] * _between(u[:, 3], 0.92, 1.08)
    eye = torch.stack(
        [
            pose[:, 0] + (u[:, 4] - 0.5) * 0.8,
            pose[:, 1] + (u[:, 5] - 0.5) * 0.2,
            (pose[:, 2] + (u[:, 6] - 0.5) * 0.3).clamp(min=0.05),
        ],
        dim=1,
    )
    # Far enough to fit into the picture and to show its foot, near enough to stand free of the furniture.
    tall = figures.height * _between(u[:, 7], 0.94, 1.06)
    reach = figures.reach * tall
    sideways, downwards = torch.atan(1 / focal), torch.atan(0.86 / focal)
    wanted = torch.stack(
        [
            tall * focal / (2 * _between(u[:, 8], 0.28, _TALLEST)),
            eye[:, 1] / torch.tan(pitch + downwards),
            0.9 + reach,
            reach * focal / _WIDEST,
        ]
    ).amax(0)
    bearing = yaw + (u[:, 9] - 0.5) * 1.3 * sideways
    margin = torch.minimum(_FREE_FROM_WALL + reach, width / 2 - 0.3)
    x = torch.minimum(torch.maximum(eye[:, 0] + wanted * torch.sin(bearing), margin - width / 2), width / 2 - margin)
    z = torch.minimum(eye[:, 2] + wanted * torch.cos(bearing), length - margin)
    foot = torch.stack([x, torch.zeros_like(x), z], dim=1)
    # Where a wall was in the way, the camera turns to the figure, and the figure is made to fit.
    away = foot - eye
    distance = away[:, 0::2].square().sum(1).sqrt()
    bearing = torch.atan2(away[:, 0], away[:, 2])
    yaw = torch.minimum(torch.maximum(yaw, bearing - 0.65 * sideways), bearing + 0.65 * sideways)
    pitch = torch.maximum(pitch, torch.atan(eye[:, 1] / distance) - downwards)
    room_for = torch.minimum(_TALLEST * 2 * distance / (focal * tall), _WIDEST * distance / (focal * reach))
    tall, reach = tall * room_for.clamp(max=1), reach * room_for.clamp(max=1)
    view = _view(eye, yaw, pitch, roll, focal)

    lamp = rooms.lamp.double() + (u[:, 10:13] - 0.5) * _constant((0.8, 0.0, 0.8), ids.device).double()
    light = rooms.warmth.double() * _between(u[:, 13:14], 0.85, 1.2)

    turn = _upright(u[:, 14] * 6.283185307179586)
    matrix = (figures.matrix[:, :, :, :, None] * turn[:, None, None, :, :]).sum(3) / tall[:, None, None, None]
    eye_in_figure = (turn * (eye - foot)[:, None, :]).sum(-1) / tall[:, None]
    solids = Solids(
        eye=_apply(figures.matrix, eye_in_figure[:, None] - figures.centre),
        forward=_apply(matrix, view.forward[:, None]),
        right=_apply(matrix, view.right[:, None]),
        up=_apply(matrix, view.up[:, None]),
        profile=figures.profile,
    )
    middle = foot + torch.stack([torch.zeros_like(tall), tall / 2, torch.zeros_like(tall)], dim=1)
    towards = lamp - middle
    towards = towards / towards.square().sum(1, keepdim=True).sqrt()
    depth, picture = _project(view, middle)
    return Scenes(
        view=view,
        rooms=rooms,
        figures=figures,
        solids=solids,
        lamp=lamp,
        light=light,
        ambient=rooms.ambient.double(),
        foot=foot,
        radius=0.25 + 1.3 * reach,
        middle=picture,
        lampwards=_apply(matrix, towards[:, None]),
        metric=(_columns(matrix, (0, 1, 2, 0, 0, 1)) * _columns(matrix, (0, 1, 2, 1, 2, 2))).sum(-1)
        * _constant((1.0, 1.0, 1.0, 2.0, 2.0, 2.0), ids.device),
        span=tall * focal / (2 * depth),
        fade=torch.where(u[:, 15] < 0.45, 0.4 + 0.4 * u[:, 16], torch.zeros_like(tall)),
    )


@lru_cache(maxsize=16)
def _constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Numbers on a device, copied there once."""
    return torch.tensor(values, device=device)


def _columns(matrix: Tensor, which: tuple[int, ...]) -> Tensor:
    """Elements along the third axis, in that order, (B, P, 3, 3) to (B, P, n, 3)."""
    return torch.stack([matrix[:, :, column] for column in which], dim=2)


def _upright(angle: Tensor) -> Tensor:
    """Rotations about the y axis, (B, 3, 3)."""
    cos, sin, zero, unit = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([cos, zero, sin, zero, unit, zero, -sin, zero, cos], dim=-1).view(-1, 3, 3)


def _view(eye: Tensor, yaw: Tensor, pitch: Tensor, roll: Tensor, focal: Tensor) -> Cameras:
    """A camera that looks along +z, turned right by yaw, down by pitch, and tilted by roll (radians)."""
    sy, cy, sp, cp = torch.sin(yaw), torch.cos(yaw), torch.sin(pitch), torch.cos(pitch)
    forward = torch.stack([sy * cp, -sp, cy * cp], dim=1)
    right = torch.stack([cy, torch.zeros_like(cy), -sy], dim=1)
    up = torch.stack([sy * sp, cp, cy * sp], dim=1)
    cr, sr = torch.cos(roll)[:, None], torch.sin(roll)[:, None]
    half = 1 / focal[:, None]
    return Cameras(eye, forward, (cr * right + sr * up) * half, (cr * up - sr * right) * half)


def _project(view: Cameras, point: Tensor) -> tuple[Tensor, Tensor]:
    """Depth (B,) and picture coordinates (B, 2) of world points (B, 3)."""
    offset = point - view.eye
    depth = (offset * view.forward).sum(1).clamp(min=0.1)
    axes = [(offset * axis).sum(1) / axis.square().sum(1) / depth for axis in (view.right, view.up)]
    return depth, torch.stack(axes, dim=1)
