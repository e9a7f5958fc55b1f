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

_PICKED = ("depth", "valid", "mask_valid")
"""Taken from the nearest element: a mean over the rim of a hole or of an object would be a depth that is nowhere."""
_LEAST = 1e-6


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
    moved = sample(quartet, grid, "reflection")
    return rescale_depth(moved, affine.zoom) if metric else moved


def sample(quartet: Quartet, grid: Tensor, beyond: str) -> Quartet:
    """All images at the places of a grid, see `torch.nn.functional.grid_sample`.

    A mask that is not known everywhere is the mean of what is known of it: what lies under unknown pixels says nothing.

    Args:
        quartet: the batch.
        grid: (B, H, W, 2) in [-1, 1].
        beyond: what lies beyond the rims, a ``padding_mode``.
    """

    def at(image: Tensor, mode: str) -> Tensor:
        """One image at the grid's places."""
        return functional.grid_sample(image, grid.to(image.dtype), mode, padding_mode=beyond, align_corners=False)

    moved = {name: at(image, "nearest" if name in _PICKED else "bilinear") for name, image in quartet.tensors()}
    if quartet.mask is not None and quartet.mask_valid is not None:
        known = at(quartet.mask_valid, "bilinear")
        inside = at(quartet.mask * quartet.mask_valid, "bilinear")
        moved["mask"] = torch.where(known > 0, inside / known.clamp(min=_LEAST), 0.0)
    return replace(quartet, **{name: image.clamp_(0, 1) for name, image in moved.items()})


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
