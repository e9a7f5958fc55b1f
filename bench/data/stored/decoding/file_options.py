"""What a user declares about stored data, checked before a file is touched."""

from __future__ import annotations

from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.data.stored.decoding.mask_values import FOREGROUNDS, MaskValues
from bench.data.stored.decoding.placement import FITS
from bench.data.stored.naming.groups import mirrored

SCENES = ("auto", "file", "sequence")


@dataclass(frozen=True)
class FileOptions:
    """How files are read, as text from a command line.

    Attributes:
        fit: a member of `FITS`.
        foreground: a member of `FOREGROUNDS`.
        soft_masks: keep grey in masks.
        mask_values: declared values, see `MaskValues.parse`; None for black and white.
        depth_unit: a key of `DEPTH_UNITS` or ``auto``.
        depth_scale: numbers to a metre.
        depth_range: two numbers, least and greatest metres known, as text or a pair.
        colour_map: of depth in colours.
    """

    fit: str = "crop"
    foreground: str = "white"
    soft_masks: bool = False
    mask_values: str | None = None
    depth_unit: str = "auto"
    depth_scale: float | None = None
    depth_range: tuple[float, float] | None = None
    colour_map: str | None = None

    def check(self, flips: str, scenes: str) -> None:
        """Refuse words that mean nothing.

        Raises:
            BenchError: the first of them.
        """
        for name, value, known in (
            ("fit", self.fit, FITS),
            ("foreground", self.foreground, FOREGROUNDS),
            ("scenes", scenes, SCENES),
        ):
            if value not in known:
                raise BenchError(f"unknown {name} {value!r}; known: {', '.join(known)}")
        mirrored(flips)
        if self.mask_values is not None:
            MaskValues.parse(self.mask_values)


def parse_range(text: str | tuple[float, float] | None) -> tuple[float, float] | None:
    """Two numbers from ``"0.5 80"`` or ``"0.5,80"``.

    Raises:
        BenchError: something else.
    """
    if text is None or isinstance(text, tuple):
        return text
    try:
        low, high = (float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise BenchError(f"a depth range is two numbers, such as '0 80', not {text!r}") from error
    return low, high
