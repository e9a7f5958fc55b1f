"""How pictures that are not square become so: cropped, padded or stretched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import BenchError

Array = npt.NDArray[Any]

FITS = ("crop", "pad", "stretch")


@dataclass(frozen=True)
class Placement:
    """From a picture to a square.

    Attributes:
        box: the part of the picture that is shown: left, top, right, bottom, in its pixels.
        place: where it lies in the square: left, top, right, bottom.
        size: side of the square.
    """

    box: tuple[int, int, int, int]
    place: tuple[int, int, int, int]
    size: int

    @classmethod
    def of(cls, width: int, height: int, size: int, fit: str) -> Placement:
        """The window of a picture.

        Args:
            width, height: of the picture, upright.
            size: side of the square.
            fit: ``crop`` its middle square, ``pad`` it to a square, or ``stretch`` it.

        Raises:
            BenchError: another fit.
        """
        if fit not in FITS:
            raise BenchError(f"unknown fit {fit!r}; known: {', '.join(FITS)}")
        whole = (0, 0, size, size)
        if fit == "stretch" or width == height:
            return cls((0, 0, width, height), whole, size)
        if fit == "crop":
            side = min(width, height)
            left, top = (width - side) // 2, (height - side) // 2
            return cls((left, top, left + side, top + side), whole, size)
        longer = max(width, height)
        w, h = (max(1, round(length * size / longer)) for length in (width, height))
        left, top = (size - w) // 2, (size - h) // 2
        return cls((0, 0, width, height), (left, top, left + w, top + h), size)

    @property
    def fills(self) -> bool:
        """Whether the picture covers the square."""
        return self.place == (0, 0, self.size, self.size)

    def average(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """The picture in the square, neighbours averaged; black beside it, (size, size) or (size, size, C) uint8."""
        left, top, right, bottom = self.place
        shown = image.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=self.box)
        return self._within(np.asarray(shown))

    def pick(self, numbers: Array) -> Array:
        """An array (H, W) or (H, W, C) in the square, elements picked, as a mean over a rim is nowhere."""
        left, top, right, bottom = self.place
        x0, y0, x1, y1 = self.box
        rows = y0 + ((np.arange(bottom - top) + 0.5) * ((y1 - y0) / (bottom - top))).astype(np.int64)
        columns = x0 + ((np.arange(right - left) + 0.5) * ((x1 - x0) / (right - left))).astype(np.int64)
        return self._within(numbers[rows[:, None], columns[None, :]])

    def inside(self) -> npt.NDArray[np.bool_]:
        """Where the picture is, (size, size)."""
        left, top, right, bottom = self.place
        covered = np.zeros((self.size, self.size), dtype=np.bool_)
        covered[top:bottom, left:right] = True
        return covered

    def _within(self, shown: Array) -> Array:
        if self.fills:
            return shown
        left, top, right, bottom = self.place
        square = np.zeros((self.size, self.size, *shown.shape[2:]), dtype=shown.dtype)
        square[top:bottom, left:right] = shown
        return square
