"""What the values of a mask mean: white on black, or numbers and colours that are declared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import BenchError
from bench.data.stored.decoding.mask_value import Span, Value, covered, read_value
from bench.data.stored.decoding.placement import Placement

FOREGROUNDS = ("white", "black", "alpha")
_HALF = 128
_WHOLE = 255


@dataclass(frozen=True)
class MaskValues:
    """Declared values; whatever is none of them is background.

    Attributes:
        foreground: values of the object: numbers, or spans of numbers or colours.
        unknown: values where nobody knows; they count in no term and no metric.
    """

    foreground: tuple[Value, ...]
    unknown: tuple[Value, ...] = ()

    @classmethod
    def parse(cls, text: str) -> MaskValues:
        """From ``fg=255 unknown=85,170``, ``fg=1-65535`` or ``fg=#dc143c``.

        Raises:
            BenchError: something else.
        """
        found: dict[str, tuple[Value, ...]] = {}
        for word in text.split():
            name, equals, values = word.partition("=")
            read = [read_value(value) for value in values.split(",")]
            known = tuple(value for value in read if value is not None)
            if name not in ("fg", "unknown") or not equals or len(known) < len(read):
                raise BenchError(
                    f"--mask-values are written as 'fg=255 unknown=85,170' (also fg=1-254, fg=#dc143c), not {text!r}"
                )
            found[name] = known
        if "fg" not in found:
            raise BenchError(f"--mask-values {text!r} do not say which values are the object: fg=255")
        return cls(found["fg"], found.get("unknown", ()))

    @property
    def has_colours(self) -> bool:
        """Whether colours are among them, for which a file's colours are needed."""
        return any(isinstance(value, Span) and value.coloured for value in (*self.foreground, *self.unknown))

    def __str__(self) -> str:
        parts = [f"fg={','.join(map(str, self.foreground))}"]
        return " ".join(parts + [f"unknown={','.join(map(str, self.unknown))}"] * bool(self.unknown))


Planes = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]
"""A mask (S, S) from 0 to 255, and where it is known (S, S), 0 or 1; None for everywhere."""


def read_mask(
    image: Image.Image,
    window: Placement,
    foreground: str,
    soft: bool,
    values: MaskValues | None,
    lossy: bool,
    known: npt.NDArray[np.bool_] | None = None,
) -> Planes:
    """A mask in its square: the mean of what is known of it, known where at least half is.

    Args:
        image: the file, upright.
        window: of it.
        foreground: a member of `FOREGROUNDS`.
        soft: keep grey; else 0.5 and more becomes white.
        values: declared ones; foreground is ignored then.
        lossy: whether the file's values may be blurred.
        known: where another file says that it is known, (H, W) of any height and width; None for everywhere.

    Raises:
        ValueError: no alpha channel, or a constant alpha channel; a range of colours in a lossy file.
    """
    if known is not None:
        known = np.asarray(Image.fromarray(known).resize(image.size, Image.Resampling.NEAREST))
    if values is not None:
        return _declared(image, window, values, lossy, known)
    grey, where = _grey(image, foreground, lossy), window.inside()
    if known is None:
        shown = window.average(grey)
    else:
        share = _share(known, window)
        where &= share >= 0.5
        mean = window.average(Image.fromarray(np.asarray(grey) * known)) / np.maximum(share, 0.5)
        shown = np.rint(mean).clip(0, _WHOLE).astype(np.uint8)
    mask = shown if soft else (shown >= _HALF).view(np.uint8) * np.uint8(_WHOLE)
    if window.fills and known is None:
        return mask, None
    return np.where(where, mask, np.uint8(0)), where.astype(np.uint8)


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
    if image.mode == "F":
        grey = Image.fromarray(_levels(np.asarray(image)))
    elif image.mode.startswith("I"):
        numbers = np.asarray(image).astype(np.int64).clip(0, 65535)
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


def _levels(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Floats as 255 levels, (H, W): from 0 to 1, as of 8 bits or as of 16, by the greatest of them; NaN is black."""
    finite = np.nan_to_num(numbers, nan=0.0, posinf=0.0, neginf=0.0)
    full = next((full for full in (1.0, 255.0) if finite.max() <= full), 65535.0)
    return np.rint(finite.clip(0, full) * (_WHOLE / full)).astype(np.uint8)


def _declared(
    image: Image.Image, window: Placement, values: MaskValues, lossy: bool, known: npt.NDArray[np.bool_] | None
) -> Planes:
    hit, nothing = (covered(image, wanted, lossy) for wanted in (values.foreground, values.unknown))
    if known is not None:
        hit, nothing = hit & known, nothing | ~known
    inside, unknown = _share(hit, window), _share(nothing, window)
    where = window.inside() & (unknown < 0.5)
    mask = where & (inside >= 0.5 * (1 - unknown)) & (inside > 0)
    return mask.astype(np.uint8) * np.uint8(_WHOLE), where.astype(np.uint8)


def _share(hit: npt.NDArray[np.bool_], window: Placement) -> npt.NDArray[np.float32]:
    """How much of each element of the square is hit, (S, S) in [0, 1]."""
    return window.average(Image.fromarray(hit.astype(np.uint8) * _WHOLE)).astype(np.float32) / np.float32(_WHOLE)
