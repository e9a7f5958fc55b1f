"""Operations that change both photographs alike, and no target."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.errors import BenchError
from bench.data.augment import augmentations
from bench.data.augment.operation import Colour
from bench.data.camera.condition import compress_some
from bench.data.counter_random import whole_numbers
from bench.data.images.jpeg import compress_jpeg
from registry.ranges import above, between

Normal = Callable[[int], Tensor]
_LUMA = (0.299, 0.587, 0.114)
_ERASED = 0.5


@augmentations.register(ranges={"amount": between(0, 1)})
def brightness(amount: float = 0.1) -> Colour:
    """Up to ``amount`` is added or taken away."""
    return Colour(1, lambda image, u, normal: image + _around(u, 0) * amount)


@augmentations.register(ranges={"amount": between(0, 1)})
def contrast(amount: float = 0.2) -> Colour:
    """The distance from middle grey changes by up to that share of it."""
    return Colour(1, lambda image, u, normal: (image - 0.5) * (1 + _around(u, 0) * amount) + 0.5)


@augmentations.register(ranges={"amount": between(0, 1)})
def saturation(amount: float = 0.3) -> Colour:
    """The distance from each pixel's grey changes by up to that share of it."""

    def change(image: Tensor, u: Tensor, normal: Normal) -> Tensor:
        """The changed images, (B, 3, H, W), by uniform numbers ``u`` (B, columns) in [0, 1]."""
        luma = _luma(image)
        return luma + (image - luma) * (1 + _around(u, 0) * amount)

    return Colour(1, change)


@augmentations.register(ranges={"degrees": between(0, 180)})
def hue(degrees: float = 18.0) -> Colour:
    """Colours turn around grey by up to ``degrees``; each pixel's luma stays (a rotation in YIQ)."""

    def change(image: Tensor, u: Tensor, normal: Normal) -> Tensor:
        """The changed images, (B, 3, H, W), by uniform numbers ``u`` (B, columns) in [0, 1]."""
        angle = _around(u, 0) * math.radians(degrees)
        cos, sin = torch.cos(angle), torch.sin(angle)
        luma = _luma(image)
        red, blue = image[:, :1] - luma, image[:, 2:] - luma
        # U and V of BT.601 on the same scale, so that a turn keeps the distance from grey.
        u_, v_ = blue * 0.492, red * 0.877
        blue, red = (u_ * cos - v_ * sin) / 0.492, (u_ * sin + v_ * cos) / 0.877
        green = -(_LUMA[0] * red + _LUMA[2] * blue) / _LUMA[1]
        return luma + torch.cat([red, green, blue], dim=1)

    return Colour(1, change)


@augmentations.register(ranges={"p": between(0, 1)})
def grey(p: float = 0.1) -> Colour:
    """Without colour, with probability ``p``."""
    return Colour(1, lambda image, u, normal: torch.where(_at(u, 0) < p, _luma(image), image))


@augmentations.register(ranges={"sigma": above(0, 8), "p": between(0, 1)})
def blur(sigma: float = 1.0, p: float = 0.5) -> Colour:
    """With probability ``p`` blurred by a Gaussian of up to ``sigma`` pixels."""
    reach = math.ceil(3 * sigma)

    def change(image: Tensor, u: Tensor, normal: Normal) -> Tensor:
        """The changed images, (B, 3, H, W), by uniform numbers ``u`` (B, columns) in [0, 1]."""
        spread = (u[:, 1] * sigma).clamp(min=0.05)
        offsets = torch.arange(-reach, reach + 1, device=image.device)
        weights = torch.exp(-0.5 * (offsets / spread[:, None]).square())
        weights = weights / weights.sum(1, keepdim=True)
        blurred = image
        for axis, pad in ((-1, (reach, reach, 0, 0)), (-2, (0, 0, reach, reach))):
            padded, total = functional.pad(blurred, pad, mode="replicate"), torch.zeros_like(image)
            for i in range(len(offsets)):
                total += weights[:, i, None, None, None] * padded.narrow(axis, i, image.shape[axis])
            blurred = total
        return torch.where(_at(u, 0) < p, blurred, image)

    return Colour(2, change)


@augmentations.register(ranges={"sigma": between(0, 1)})
def noise(sigma: float = 0.02) -> Colour:
    """Normal noise, the same on both photographs, of up to that standard deviation."""
    return Colour(1, lambda image, u, normal: image + normal(image[0].numel()).view_as(image) * (_at(u, 0) * sigma))


@augmentations.register(ranges={"p": between(0, 1), "lowest": between(1, 100), "highest": between(1, 100)})
def jpeg(p: float = 0.3, lowest: int = 40, highest: int = 90) -> Colour:
    """With probability ``p`` compressed at a quality from ``lowest`` to ``highest``."""
    if lowest > highest:
        raise BenchError(f"augmentation 'jpeg': the lowest quality, {lowest}, is above the highest, {highest}")

    def change(image: Tensor, u: Tensor, normal: Normal) -> Tensor:
        """The changed images, (B, 3, H, W), by uniform numbers ``u`` (B, columns) in [0, 1]."""
        quality = whole_numbers(u[:, 1], lowest, highest)
        chosen = u[:, 0] < p
        if image.device.type == "cpu":
            return compress_some(image.clone(), torch.where(chosen, quality, 0.0))
        # A training step must not wait for the device: all are compressed, and some of them kept.
        return torch.where(chosen[:, None, None, None], compress_jpeg(image, quality), image)

    return Colour(2, change)


@augmentations.register(ranges={"p": between(0, 1), "holes": between(1, 16), "size": above(0, 1)})
def dropout(p: float = 0.5, holes: int = 4, size: float = 0.2) -> Colour:
    """With probability ``p`` some grey rectangles of up to ``size`` of each side hide parts of both photographs."""

    def change(image: Tensor, u: Tensor, normal: Normal) -> Tensor:
        """The changed images, (B, 3, H, W), by uniform numbers ``u`` (B, columns) in [0, 1]."""
        height, width = image.shape[-2:]
        x, y = ((torch.arange(n, device=image.device) + 0.5) / n for n in (width, height))
        hidden = torch.zeros(len(image), height, width, dtype=torch.bool, device=image.device)
        for hole in range(holes):
            middle_x, middle_y, wide, tall = u[:, 1 + 4 * hole : 5 + 4 * hole].unbind(1)
            columns = (x - middle_x[:, None]).abs() < (wide * size / 2)[:, None]
            rows = (y - middle_y[:, None]).abs() < (tall * size / 2)[:, None]
            hidden |= rows[:, :, None] & columns[:, None, :]
        return torch.where(hidden[:, None] & (_at(u, 0) < p), _ERASED, image)

    return Colour(1 + 4 * holes, change)


def _at(u: Tensor, column: int) -> Tensor:
    return u[:, column, None, None, None]


def _around(u: Tensor, column: int) -> Tensor:
    """Draws in [-1, 1), to go with images."""
    return _at(u, column) * 2 - 1


def _luma(image: Tensor) -> Tensor:
    """(B, 1, H, W)."""
    return _LUMA[0] * image[:, :1] + _LUMA[1] * image[:, 1:2] + _LUMA[2] * image[:, 2:]
