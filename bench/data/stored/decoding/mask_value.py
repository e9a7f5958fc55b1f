"""A declared value of masks: a number, a colour, or a span of either."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

_BLURRED = 16
"""How far JPEG may move a declared value, or a channel of a declared colour."""
_WRITTEN = re.compile(r"(?P<low>[0-9]+|#[0-9a-fA-F]{6})(?:-(?P<high>[0-9]+|#[0-9a-fA-F]{6}))?")


@dataclass(frozen=True)
class Span:
    """All numbers from one to another, or a colour.

    Attributes:
        low, high: the first and the last; of a colour 65536 red + 256 green + blue, and both the same of a single one.
        coloured: whether they are colours.
    """

    low: int
    high: int
    coloured: bool = False

    def __str__(self) -> str:
        ends = [colour_name(end) if self.coloured else str(end) for end in dict.fromkeys((self.low, self.high))]
        return "-".join(ends)


Value = int | Span


def read_value(text: str) -> Value | None:
    """A value from ``7``, ``1-254``, ``#dc143c`` or ``#000001-#ffffff``; None of anything else."""
    written = _WRITTEN.fullmatch(text) if text.isascii() else None
    if written is None:
        return None
    low, high = written["low"], written["high"] or written["low"]
    if low.startswith("#") != high.startswith("#"):
        return None
    if low.startswith("#"):
        span = Span(int(low[1:], 16), int(high[1:], 16), coloured=True)
    elif written["high"] is None:
        return int(low)
    else:
        span = Span(int(low), int(high))
    return span if span.low <= span.high else None


def covered(image: Image.Image, wanted: Sequence[Value], lossy: bool) -> npt.NDArray[np.bool_]:
    """Where a mask has one of some values, (H, W).

    Args:
        image: the mask, upright.
        wanted: the values.
        lossy: whether its values may be blurred.

    Raises:
        ValueError: a range of colours in a file whose colours are blurred.
    """
    hit = np.zeros((image.height, image.width), dtype=np.bool_)
    reach = _BLURRED if lossy else 0
    spans = [value if isinstance(value, Span) else Span(value, value) for value in wanted]
    if any(span.coloured for span in spans):
        pixels = np.asarray(image.convert("RGB")).astype(np.int64)
        packed = colour_numbers(pixels)
    if not all(span.coloured for span in spans):
        numbers = mask_numbers(image)
    for span in spans:
        if not span.coloured:
            hit |= (numbers >= span.low - reach) & (numbers <= span.high + reach)
        elif not lossy:
            hit |= (packed >= span.low) & (packed <= span.high)
        elif span.low == span.high:
            channels = np.array([span.low >> 16, span.low >> 8 & 255, span.low & 255])
            hit |= (np.abs(pixels - channels) <= reach).all(-1)
        else:
            raise ValueError(f"colours are blurred in a lossy file; name single ones instead of the range {span}")
    return hit


def mask_numbers(image: Image.Image) -> npt.NDArray[np.int64]:
    """The numbers of a mask, (H, W): entries of a palette by their place, colours by their brightness."""
    if image.mode == "F":
        numbers = np.rint(np.nan_to_num(np.asarray(image), nan=0.0, posinf=0.0, neginf=0.0))
    else:
        is_plain = image.mode in ("P", "L", "1") or image.mode.startswith("I")
        numbers = np.asarray(image if is_plain else image.convert("L"))
    whole: npt.NDArray[np.int64] = numbers.astype(np.int64)
    return whole


def colour_numbers(pixels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Colours (..., 3) as 65536 red + 256 green + blue, (...)."""
    numbers: npt.NDArray[np.int64] = pixels @ np.array([1 << 16, 1 << 8, 1], dtype=np.int64)
    return numbers


def colour_name(number: int) -> str:
    """As it is declared: ``#dc143c``."""
    return f"#{number:06x}"
