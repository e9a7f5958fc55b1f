"""Files to square arrays: photographs, masks and depth, whatever they were saved as.

The same rules for all kinds: turned upright as EXIF says, palettes resolved, 16 bits scaled to 8 for pictures and kept
for depth; JPEG is decoded at half, quarter or eighth size where that is still enough, and targets as grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.depth_units import UNKNOWN, DepthUnit
from bench.data.images.colour_maps import entries
from bench.data.stored.decoding.images import BadFile, open_image, rgb
from bench.data.stored.decoding.mask_values import MaskValues, Planes, read_mask
from bench.data.stored.decoding.numbers import check_kind, kind_of, numbers_of
from bench.data.stored.decoding.placement import Placement

Array = npt.NDArray[Any]


class OtherShape(BadFile):
    """A partner that is not as wide, for its height, as its picture.

    Attributes:
        shapes: how wide both are.
        is_turned: whether one of them turned by a quarter would be.
    """

    def __init__(self, shapes: str, is_turned: bool) -> None:
        super().__init__(f"{shapes}: another scene")
        self.shapes, self.is_turned = shapes, is_turned


ASPECT_TOLERANCE = 0.03
_GREYS = ("L", "LA", "1", "I", "I;16", "I;16B", "I;16L")
_LOSSY = (".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class DecodeOptions:
    """How files are to be read.

    Attributes:
        fit: a member of `FITS`.
        foreground: a member of `FOREGROUNDS`.
        soft: masks stay grey.
        values: declared values of masks.
        unit: of depth; None without depth.
        colour_map: of depth that was saved in colours.
        kind: of depth's numbers, see `DepthFacts`; None for any.
    """

    fit: str = "crop"
    foreground: str = "white"
    soft: bool = False
    values: MaskValues | None = None
    unit: DepthUnit | None = None
    colour_map: str | None = None
    kind: str | None = None


def photograph(content: bytes, size: int, fit: str) -> tuple[npt.NDArray[np.uint8], float]:
    """A photograph in its square, (size, size, 3), and its width over its height.

    Raises:
        BadFile: see `open_image`; a pixel format without colour or grey.
    """
    image = open_image(content, least=size)
    window = Placement.of(*image.size, size, fit)
    return np.ascontiguousarray(window.average(rgb(image))), image.width / image.height


def mask(
    content: bytes, name: str, size: int, options: DecodeOptions, known: npt.NDArray[np.bool_] | None = None
) -> tuple[Planes, float]:
    """A mask in its square and where it is known, see `read_mask`, and its width over its height.

    Args:
        content, name: of its file.
        size: side of the square.
        options: how to read it.
        known: where another file says that it is known, see `whole_known`; None for everywhere.

    Raises:
        BadFile: see `open_image`; no alpha channel where the mask is declared to lie there.
    """
    lossy = is_lossy(name)
    small = lossy and options.values is None
    coloured = options.foreground == "alpha" or (options.values is not None and options.values.has_colours)
    image = open_image(content, grey=lossy and not coloured, least=size if small else 0)
    window = Placement.of(*image.size, size, options.fit)
    try:
        planes = read_mask(image, window, options.foreground, options.soft, options.values, lossy, known)
    except ValueError as error:
        raise BadFile(str(error)) from error
    return planes, image.width / image.height


def depth(content: bytes, name: str, size: int, options: DecodeOptions) -> tuple[npt.NDArray[np.float32], float]:
    """A depth map in its square, (size, size) in [0, 1], -1 where unknown, and its width over its height.

    Raises:
        BadFile: see `open_image` and `numbers_of`; another kind of numbers than the set's.
    """
    unit = options.unit
    assert unit is not None
    numbers: Array
    if unit.name == "colormap" and options.colour_map is not None:
        image = open_image(content)
        if options.kind == "rgb" and image.mode in _GREYS:
            check_kind("u1" if image.mode in ("L", "LA", "1") else "u2", options.kind)
        pixels = np.asarray(rgb(image))
        height, width = pixels.shape[:2]
        window = Placement.of(width, height, size, options.fit)
        numbers, _ = entries(window.pick(pixels), options.colour_map)
    elif not unit.holes and is_lossy(name):
        check_kind("u1", options.kind or "u1")
        numbers, window, (width, height) = _grey(content, size, options.fit)
    else:
        whole = numbers_of(content, name)
        if options.kind is not None and whole.any():  # a map of nothing says nothing, whatever its kind
            check_kind(kind_of(whole), options.kind)
        height, width = whole.shape
        window = Placement.of(width, height, size, options.fit)
        numbers = window.pick(whole)
    values = unit.read(numbers)
    return values if window.fills else np.where(window.inside(), values, np.float32(UNKNOWN)), width / height


def depth_levels(content: bytes, size: int, fit: str) -> tuple[npt.NDArray[np.uint8], float]:
    """An 8-bit depth map of a lossy file in its square, (size, size), and its width over its height.

    The numbers themselves, where they need no unit: 255 is 1.0.

    Raises:
        BadFile: see `open_image`.
    """
    levels, _, (width, height) = _grey(content, size, fit)
    return levels, width / height


def is_lossy(name: str) -> bool:
    """Whether a file's values may be blurred, by its name."""
    return name.lower().endswith(_LOSSY)


def _grey(content: bytes, size: int, fit: str) -> tuple[npt.NDArray[np.uint8], Placement, tuple[int, int]]:
    image = open_image(content, grey=True, least=size)
    window = Placement.of(*image.size, size, fit)
    return window.average(image if image.mode == "L" else image.convert("L")), window, image.size


def known(content: bytes, name: str, size: int, fit: str) -> tuple[npt.NDArray[np.bool_], float]:
    """Where depth is known by a file that says so, (size, size), and its width over its height.

    Raises:
        BadFile: see `numbers_of`.
    """
    whole = whole_known(content, name)
    height, width = whole.shape
    return np.asarray(Placement.of(width, height, size, fit).pick(whole)), width / height


def whole_known(content: bytes, name: str) -> npt.NDArray[np.bool_]:
    """A file that says where depth or mask is known (anything above 0), as it is, (H, W).

    Raises:
        BadFile: see `numbers_of`.
    """
    return np.asarray(numbers_of(content, name) > 0)


def check_aspect(what: str, aspect: float, picture: float, of: str = "picture") -> None:
    """Refuse a partner of another shape than its picture.

    Args:
        what: the partner.
        aspect, picture: width over height of both.
        of: whose partner it is.

    Raises:
        OtherShape: they differ by more than 3 %.
    """
    if abs(aspect / picture - 1) > ASPECT_TOLERANCE:
        shapes = f"{what}: {aspect:.3f} times as wide as high, its {of} {picture:.3f}"
        raise OtherShape(shapes, is_turned=abs(aspect * picture - 1) <= ASPECT_TOLERANCE)
