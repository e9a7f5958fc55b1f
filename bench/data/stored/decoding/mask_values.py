"""What the values of a mask mean: white on black, or numbers that are declared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import BenchError
from bench.data.stored.decoding.placement import Placement

FOREGROUNDS = ("white", "black", "alpha")
_HALF = 128
_BLURRED = 16
"""How far JPEG may move a declared value."""
_WHOLE = 255


@dataclass(frozen=True)
class MaskValues:
    """Declared values; whatever is none of them is background.

    Attributes:
        foreground: values of the object.
        unknown: values where nobody knows; they count in no term and no metric.
    """

    foreground: tuple[int, ...]
    unknown: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> MaskValues:
        """From ``fg=255 unknown=85,170``.

        Raises:
            BenchError: something else.
        """
        found: dict[str, tuple[int, ...]] = {}
        for word in text.split():
            name, equals, numbers = word.partition("=")
            values = numbers.split(",")
            if name not in ("fg", "unknown") or not equals or not all(value.isdigit() for value in values):
                raise BenchError(f"--mask-values are written as 'fg=255 unknown=85,170', not {text!r}")
            found[name] = tuple(int(value) for value in values)
        if "fg" not in found:
            raise BenchError(f"--mask-values {text!r} do not say which values are the object: fg=255")
        return cls(found["fg"], found.get("unknown", ()))

    def __str__(self) -> str:
        parts = [f"fg={','.join(map(str, self.foreground))}"]
        return " ".join(parts + [f"unknown={','.join(map(str, self.unknown))}"] * bool(self.unknown))


Planes = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]
"""A mask (S, S) from 0 to 255, and where it is known (S, S), 0 or 1; None for everywhere."""


def read_mask(
    image: Image.Image, window: Placement, foreground: str, soft: bool, values: MaskValues | None, lossy: bool
) -> Planes:
    """A mask in its square.

    Args:
        image: the file, upright.
        window: of it.
        foreground: a member of `FOREGROUNDS`.
        soft: keep grey; else 0.5 and more becomes white.
        values: declared ones; foreground is ignored then.
        lossy: whether the file's values may be blurred.

    Raises:
        ValueError: no alpha channel, or a constant alpha channel.
    """
    if values is not None:
        return _declared(image, window, values, lossy)
    shown = window.average(_grey(image, foreground, lossy))
    mask = shown if soft else (shown >= _HALF).view(np.uint8) * np.uint8(_WHOLE)
    if window.fills:
        return mask, None
    inside = window.inside()
    return np.where(inside, mask, np.uint8(0)), inside.astype(np.uint8)


def _grey(image: Image.Image, foreground: str, lossy: bool) -> Image.Image:
    """The object white."""
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    if foreground == "alpha":
        if not has_alpha:
            raise ValueError(f"a mask without alpha channel (pixel format {image.mode!r})")
        alpha = image.convert("RGBA").getchannel("A")
        low, high = alpha.getextrema()
        if low == high:
            raise ValueError("an empty alpha channel" if high == 0 else "an alpha channel that is opaque everywhere")
        return alpha
    if image.mode.startswith("I"):
        numbers = np.asarray(image).astype(np.int64)
        grey = Image.fromarray((numbers * _WHOLE if numbers.max() <= 1 else numbers >> 8).astype(np.uint8))
    elif has_alpha:
        rgba = image.convert("RGBA")
        colour, opaque = np.asarray(rgba.convert("L")), np.asarray(rgba.getchannel("A"))
        shown = colour if foreground == "white" else _WHOLE - colour
        return Image.fromarray((shown.astype(np.uint16) * opaque // _WHOLE).astype(np.uint8))
    else:
        grey = image if image.mode == "L" else image.convert("L")
        if not lossy and grey.getextrema()[1] == 1:  # numbers of two classes, not shades
            grey = grey.point(lambda value: value * _WHOLE)
    return grey if foreground == "white" else Image.eval(grey, lambda value: _WHOLE - value)


def _declared(image: Image.Image, window: Placement, values: MaskValues, lossy: bool) -> Planes:
    numbers = np.asarray(image if image.mode in ("P", "L", "1") or image.mode.startswith("I") else image.convert("L"))
    numbers = numbers.astype(np.int64)

    def share(wanted: tuple[int, ...]) -> npt.NDArray[np.float32]:
        reach = _BLURRED if lossy else 0
        hit = np.zeros(numbers.shape, dtype=np.bool_)
        for value in wanted:
            hit |= np.abs(numbers - value) <= reach
        return window.average(Image.fromarray(hit.astype(np.uint8) * _WHOLE)).astype(np.float32) / np.float32(_WHOLE)

    inside, unknown = share(values.foreground), share(values.unknown)
    known = window.inside() & (unknown < 0.5)
    mask = known & (inside >= 0.5 * (1 - unknown)) & (inside > 0)
    return mask.astype(np.uint8) * np.uint8(_WHOLE), known.astype(np.uint8)
