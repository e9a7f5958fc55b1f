"""What may differ between photographs in training and in use, in five grades each; all drawn by (seed, sample)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from bench.data.augment import augmentations
from bench.data.augment.operation import Colour
from bench.data.camera.condition import Camera
from bench.data.counter_random import uniform
from registry.contract import Quartet

Change = Callable[[Quartet, float, int, Tensor], Quartet]
"""From quartets, a grade's amount, a seed and the samples' ids to the quartets as they are then photographed."""


@dataclass(frozen=True)
class Disturbance:
    """One thing that goes wrong, more and more.

    Attributes:
        name: in one word.
        summary: what is done, to which photograph.
        unit: of the amounts.
        grades: five amounts, the least harmful first.
        change: does it; targets stay, as they belong to bg_fg, which is not moved.
    """

    name: str
    summary: str
    unit: str
    grades: tuple[float, float, float, float, float]
    change: Change


def _by_camera(condition: Callable[[float], Camera]) -> Change:
    def change(quartet: Quartet, amount: float, seed: int, ids: Tensor) -> Quartet:
        return condition(amount).shoot(quartet, seed, "robust", ids)

    return change


def _by_colour(key: Callable[[float], str]) -> Change:
    """An augmentation at its full amount, up or down by sample, on bg_fg alone."""

    def change(quartet: Quartet, amount: float, seed: int, ids: Tensor) -> Quartet:
        operation = augmentations.build(key(amount))
        assert isinstance(operation, Colour)
        up = (_sign(seed, ids) + 1) / 2
        draws = torch.stack([up] * (operation.columns - 1) + [up], dim=1)
        changed = operation.change(quartet.bg_fg, draws, lambda count: torch.zeros(len(ids), count))
        return replace(quartet, bg_fg=changed.clamp(0, 1))

    return change


def _blurred(quartet: Quartet, amount: float, seed: int, ids: Tensor) -> Quartet:
    operation = augmentations.build(f"blur[p=1.0,sigma={amount}]")
    assert isinstance(operation, Colour)
    draws = torch.tensor([[0.0, 1.0]], device=ids.device).expand(len(ids), 2)
    return replace(quartet, bg_fg=operation.change(quartet.bg_fg, draws, lambda count: torch.zeros(len(ids), count)))


def _exposed(quartet: Quartet, amount: float, seed: int, ids: Tensor) -> Quartet:
    factor = 2 ** (amount * _sign(seed, ids))
    return replace(quartet, bg_fg=(quartet.bg_fg * factor[:, None, None, None]).clamp(0, 1))


def _unaligned(quartet: Quartet, amount: float, seed: int, ids: Tensor) -> Quartet:
    if quartet.bg is None:
        return quartet
    angle = _sign(seed, ids) * math.radians(amount)
    cos, sin, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    zoom = 1 - amount / 100
    height, width = quartet.bg.shape[-2:]
    rows = [[cos, -sin * height / width, zero], [sin * width / height, cos, zero]]
    affine = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1) * zoom
    grid = functional.affine_grid(affine, list(quartet.bg.shape), align_corners=False)
    turned = functional.grid_sample(quartet.bg, grid, padding_mode="reflection", align_corners=False)
    return replace(quartet, bg=turned.clamp(0, 1))


def _sign(seed: int, ids: Tensor) -> Tensor:
    """1 or -1 by sample, (B,)."""
    return torch.where(uniform(seed, "robust/sign", ids, 1)[:, 0] < 0.5, -1.0, 1.0)


DISTURBANCES: tuple[Disturbance, ...] = (
    Disturbance(
        "shift",
        "bg moved against bg_fg, along each axis by at most",
        "% of the width",
        (1, 2, 4, 8, 16),
        _by_camera(lambda percent: Camera(shift=percent / 100)),
    ),
    Disturbance("exposure", "bg_fg lighter or darker by", "stops", (0.1, 0.25, 0.5, 1, 2), _exposed),
    Disturbance(
        "colour",
        "hue of bg_fg turned by",
        "degrees",
        (5, 10, 20, 40, 80),
        _by_colour(lambda degrees: f"hue[degrees={degrees:.1f}]"),
    ),
    Disturbance(
        "noise",
        "normal noise on both, independent, of standard deviation",
        "of 255",
        (5, 10, 20, 40, 60),
        _by_camera(lambda levels: Camera(noise=levels / 255)),
    ),
    Disturbance("blur", "bg_fg out of focus, sigma", "px", (0.5, 1, 1.5, 2, 4), _blurred),
    Disturbance(
        "jpeg",
        "both compressed at quality",
        "",
        (80, 60, 40, 20, 10),
        _by_camera(lambda quality: Camera(jpeg=1.0, quality=(int(quality), int(quality)))),
    ),
    Disturbance(
        "plate", "bg from another place: turned and enlarged by", "degrees and %", (0.5, 1, 2, 4, 8), _unaligned
    ),
)
"""All of them."""
