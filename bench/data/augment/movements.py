"""Operations that move the picture: crop, scale, rotate; and the resampling that does all of them at once."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from bench.data.augment import augmentations
from bench.data.augment.operation import Affine, Movement
from registry.contract import Quartet
from registry.ranges import above, at_least, between

PICKED = ("depth", "valid", "mask_valid")
"""Taken from the nearest element: a mean over the rim of a hole or of an object would be a depth that is nowhere."""


@augmentations.register(ranges={"padding": between(0, 1)})
def crop(padding: float = 0.1) -> Movement:
    """A window of the picture's own size somewhere in it, reflected by ``padding`` of its sides at its rims."""

    def place(u: Tensor, aspect: float) -> Affine:
        """Where output pixels lie in the input, by uniform numbers ``u`` (B, columns) in [0, 1]."""
        x, y = ((u[:, axis] * 2 - 1) * (2 * padding) for axis in (0, 1))
        return _affine(u, x0=x * aspect, y0=y)

    return Movement(2, place)


@augmentations.register(ranges={"low": above(0, 1), "high": at_least(1, 10)})
def scale(low: float = 0.8, high: float = 1.25) -> Movement:
    """Larger or smaller around the middle by ``low`` to ``high``, as likely so in logarithms; divides metric depth."""

    def place(u: Tensor, aspect: float) -> Affine:
        """Where output pixels lie in the input, by uniform numbers ``u`` (B, columns) in [0, 1]."""
        inverse = torch.exp(-(math.log(low) + u[:, 0] * (math.log(high) - math.log(low))))
        return _affine(u, xx=inverse, yy=inverse)

    return Movement(1, place)


@augmentations.register(ranges={"degrees": between(0, 180)})
def rotate(degrees: float = 10.0) -> Movement:
    """Turned around the middle by up to ``degrees`` either way."""

    def place(u: Tensor, aspect: float) -> Affine:
        """Where output pixels lie in the input, by uniform numbers ``u`` (B, columns) in [0, 1]."""
        angle = (u[:, 0] * 2 - 1) * math.radians(degrees)
        cos, sin = torch.cos(angle), torch.sin(angle)
        return _affine(u, xx=cos, xy=-sin, yx=sin, yy=cos)

    return Movement(1, place)


def resample(quartet: Quartet, affine: Affine, metric: bool) -> Quartet:
    """All images moved alike, beyond their rims reflected.

    Args:
        quartet: the batch.
        affine: from places after to places before.
        metric: whether depth is a distance, which becomes less as things become larger.
    """
    height, width = quartet.bg_fg.shape[-2:]
    aspect, device = width / height, quartet.bg_fg.device
    x = ((torch.arange(width, device=device) + 0.5) * (2 / width) - 1)[None, None, :] * aspect
    y = ((torch.arange(height, device=device) + 0.5) * (2 / height) - 1)[None, :, None]
    xx, xy, x0, yx, yy, y0 = (values[:, None, None] for values in affine)
    grid = torch.stack([(xx * x + xy * y + x0) / aspect, yx * x + yy * y + y0], dim=-1)
    moved = {
        name: functional.grid_sample(
            image,
            grid.to(image.dtype),
            mode="nearest" if name in PICKED else "bilinear",
            padding_mode="reflection",
            align_corners=False,
        ).clamp_(0, 1)
        for name, image in quartet.tensors()
    }
    done = replace(quartet, **moved)
    return rescale_depth(done, affine.zoom) if metric else done


def rescale_depth(quartet: Quartet, zoom: Tensor) -> Quartet:
    """Metric depth of a picture that was enlarged ``zoom`` (B,) times: divided by it, unknown beyond the range."""
    assert quartet.depth is not None
    assert quartet.valid is not None
    depth = quartet.depth / zoom[:, None, None, None]
    within = depth <= 1
    quartet.depth = torch.where(within, depth, 0.0)
    quartet.valid = quartet.valid * within
    return quartet


def _affine(u: Tensor, **given: Tensor) -> Affine:
    """Those of the six numbers that are given, else of standing still."""
    identity = {n: torch.full_like(u[:, 0], n in ("xx", "yy")) for n in Affine._fields}
    return Affine(**{**identity, **given})
