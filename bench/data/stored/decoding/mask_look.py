"""What a mask holds where it is of one value: numbers, entries of a palette, or colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.data.stored.decoding.mask_value import colour_numbers, mask_numbers

_GREY, _BLURRED_GREY = 8, 64
"""How far red, green and blue of a grey may be apart; of one whose file is lossy."""
_BOX = 32
"""Levels of a channel that are one colour in a lossy file."""
_NEARLY = 16
"""How far black and white may be from 0 and 255."""
_SEEN, _SHADED = 128, 0.01
"""Alpha of what counts as visible, and share of it that may be between black and white."""

Kind = Literal["numbers", "palette", "colours"]


@dataclass(frozen=True)
class MaskLook:
    """What a mask holds.

    Attributes:
        kind: what its values are.
        values: those that fill a square of three pixels somewhere, which those of soft rims do not; colours as
            `colour_numbers` makes them.
        bits: of a number, 8 or 16.
        count: of all its different numbers, those of soft rims too.
    """

    kind: Kind
    values: frozenset[int]
    bits: int = 8
    count: int = 0


def look(image: Image.Image, lossy: bool = False) -> MaskLook:
    """A mask, upright, by its pixels."""
    if image.mode == "P" and _palette_has_colours(image):
        return MaskLook("palette", _filling(mask_numbers(image)))
    if image.mode == "F":
        is_share = not np.asarray(image).max(initial=0) > 1  # from 0 to 1: shades, whatever they are
        numbers = mask_numbers(image)
        return MaskLook("numbers", frozenset() if is_share else _filling(numbers), 16 if numbers.max() > 255 else 8)
    if image.mode.startswith("I"):
        return MaskLook("numbers", _filling(mask_numbers(image)), 16)
    if image.mode == "1":
        return MaskLook("numbers", frozenset())
    if image.mode not in ("P", "L", "LA"):
        colours = _colours(_visible(image), lossy)
        if colours:
            return MaskLook("colours", colours)
    numbers = mask_numbers(image.convert("L"))
    return MaskLook("numbers", _filling(numbers), count=len(np.unique(numbers)))


def object_in_alpha(image: Image.Image) -> bool:
    """Whether a mask is a cut-out: its alpha channel varies, and what it shows is no white, or black and white."""
    if image.mode == "P" and _palette_has_colours(image):
        return False  # classes
    if "A" not in image.getbands() and "transparency" not in image.info:
        return False
    rgba = image.convert("RGBA")
    alpha = np.asarray(rgba.getchannel("A"))
    if alpha.min() == alpha.max() or not (alpha >= _SEEN).any():
        return False
    shown = np.asarray(rgba.convert("L"))[alpha >= _SEEN]
    between = (shown > _NEARLY) & (shown < 255 - _NEARLY)
    return bool(between.mean() > _SHADED or shown.max() <= _NEARLY)


def _visible(image: Image.Image) -> npt.NDArray[np.int64]:
    """Its colours (H, W, 3), black where it is transparent."""
    pixels = np.asarray(image.convert("RGB")).astype(np.int64)
    if "A" not in image.getbands() and "transparency" not in image.info:
        return pixels
    return pixels * (np.asarray(image.convert("RGBA").getchannel("A")) >= _SEEN)[..., None]


def _palette_has_colours(image: Image.Image) -> bool:
    """Whether the colours of a palette that a picture uses are more than greys."""
    palette = np.asarray(image.getpalette("RGB"), dtype=np.int64).reshape(-1, 3)
    numbers = np.unique(np.asarray(image))
    used = palette[numbers[numbers < len(palette)]]
    return bool((used.max(-1) - used.min(-1) > _GREY).any())


def _colours(pixels: npt.NDArray[np.int64], lossy: bool) -> frozenset[int]:
    """The colours (H, W, 3) that fill a square; none where all of them are greys."""
    if not lossy:
        filling = _filling(colour_numbers(pixels))
        return filling if any(_spread(number) > _GREY for number in filling) else frozenset()
    boxes = colour_numbers(pixels // _BOX)
    typical = {int(colour_numbers(np.median(pixels[boxes == box], axis=0).astype(np.int64))) for box in _filling(boxes)}
    return frozenset(typical) if any(_spread(number) > _BLURRED_GREY for number in typical) else frozenset()


def _spread(number: int) -> int:
    channels = number >> 16, number >> 8 & 255, number & 255
    return max(channels) - min(channels)


def _filling(numbers: npt.NDArray[np.int64]) -> frozenset[int]:
    """The values (H, W) that fill a square of three pixels somewhere."""
    height, width = numbers.shape
    if min(height, width) < 3:
        return frozenset()
    middle = numbers[1:-1, 1:-1]
    flat = np.ones(middle.shape, dtype=np.bool_)
    for row in range(3):
        for column in range(3):
            flat &= numbers[row : height - 2 + row, column : width - 2 + column] == middle
    return frozenset(np.unique(middle[flat]).tolist())
