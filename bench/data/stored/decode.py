"""Files to arrays of one size: photographs, masks and depth, whatever they were saved as.

One rule for all kinds: turned upright as EXIF says, palettes resolved, 16 bits scaled to 8 for pictures and kept for
depth; JPEG is decoded at half, quarter or eighth size where that is still enough, and targets as grey.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from bench.data.depth_units import UNKNOWN, DepthUnit
from bench.data.images.colour_maps import entries
from bench.data.stored.mask_values import MaskValues, Planes, read_mask
from bench.data.stored.placement import Placement

Array = npt.NDArray[Any]
_ASPECT_TOLERANCE = 0.03
_ORIENTATION = 0x0112
_LOSSY = (".jpg", ".jpeg", ".webp")
CODES = 65534.0
"""Levels of a packed 16-bit depth above the first; 0 stands for unknown."""


class BadFile(ValueError):
    """A file that cannot be used; the message is the reason."""


@dataclass(frozen=True)
class DecodeOptions:
    """How files are to be read.

    Attributes:
        fit: one of `FITS`.
        foreground: one of `FOREGROUNDS`.
        soft: masks stay grey.
        values: declared values of masks.
        unit: of depth; None where there is no depth.
        colour_map: of depth that was saved in colours.
    """

    fit: str = "crop"
    foreground: str = "white"
    soft: bool = False
    values: MaskValues | None = None
    unit: DepthUnit | None = None
    colour_map: str | None = None


def open_image(content: bytes, grey: bool = False, least: int = 0) -> Image.Image:
    """The decoded image, upright.

    Args:
        content: of the file.
        grey: only brightness is wanted.
        least: the shorter side may be decoded as small as this; 0 for full size.

    Raises:
        BadFile: no image, cut short, or larger than Pillow's limit against decompression bombs.
    """
    if not content:
        raise BadFile("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            if image.format == "JPEG" and (grey or least):
                scale = max(1.0, min(image.size) / least) if least else 1.0
                wanted = (int(image.width / scale), int(image.height / scale))
                image.draft("L" if grey else None, wanted if least else image.size)
            image.load()
            turned = image.getexif().get(_ORIENTATION, 1) != 1
            return ImageOps.exif_transpose(image) if turned else image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise BadFile(f"too large: {error}") from error
    except UnidentifiedImageError as error:
        raise BadFile("not an image that Pillow can read") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadFile(f"cannot be decoded: {error}") from error


def photograph(content: bytes, size: int, fit: str) -> tuple[npt.NDArray[np.uint8], float]:
    """A photograph in its square, (size, size, 3), and its width over its height.

    Raises:
        BadFile: see `open_image`; a pixel format without colour or grey.
    """
    image = open_image(content, least=size)
    window = Placement.of(*image.size, size, fit)
    return np.ascontiguousarray(window.average(rgb(image))), image.width / image.height


def mask(content: bytes, name: str, size: int, reading: DecodeOptions) -> tuple[Planes, float]:
    """A mask in its square and where it is known, see `read_mask`, and its width over its height.

    Raises:
        BadFile: see `open_image`; no alpha where one was declared.
    """
    lossy = PurePosixPath(name).suffix.lower() in _LOSSY
    small = lossy and reading.values is None
    image = open_image(content, grey=lossy and reading.foreground != "alpha", least=size if small else 0)
    window = Placement.of(*image.size, size, reading.fit)
    try:
        return read_mask(
            image, window, reading.foreground, reading.soft, reading.values, lossy
        ), image.width / image.height
    except ValueError as error:
        raise BadFile(str(error)) from error


def depth(content: bytes, name: str, size: int, reading: DecodeOptions) -> tuple[npt.NDArray[np.float32], float]:
    """A depth map in its square, (size, size) in [0, 1], -1 where unknown, and its width over its height.

    Raises:
        BadFile: see `open_image` and `numbers_of`; another kind of numbers than the unit's.
    """
    unit = reading.unit
    assert unit is not None
    numbers: Array
    if unit.name == "colormap" and reading.colour_map is not None:
        pixels = np.asarray(rgb(open_image(content)))
        height, width = pixels.shape[:2]
        window = Placement.of(width, height, size, reading.fit)
        numbers, _ = entries(window.pick(pixels), reading.colour_map)
    elif not unit.holes and PurePosixPath(name).suffix.lower() in _LOSSY:
        image = open_image(content, grey=True, least=size)
        width, height = image.size
        window = Placement.of(width, height, size, reading.fit)
        numbers = window.average(image if image.mode == "L" else image.convert("L"))
    else:
        whole = numbers_of(content, name)
        height, width = whole.shape
        window = Placement.of(width, height, size, reading.fit)
        numbers = window.pick(whole)
    values = unit.read(numbers)
    return values if window.fills else np.where(window.inside(), values, np.float32(UNKNOWN)), width / height


def numbers_of(content: bytes, name: str) -> Array:
    """The numbers of a depth file, (H, W), whatever they mean: npy, pfm, or an image of grey, 16-bit or float pixels.

    Raises:
        BadFile: no numbers that can be read.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".npy":
        return _npy(content)
    if suffix == ".pfm":
        return _pfm(content)
    image = open_image(content)
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F", "L"):
        return np.asarray(image)
    if image.mode in ("P", "RGB", "RGBA", "LA", "1"):
        pixels = np.asarray(image.convert("RGB"))
        if (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all():
            return pixels[..., 0]
        raise BadFile("a depth map in colours; say so: --depth-unit colormap")
    raise BadFile(f"a depth map of pixel format {image.mode!r}")


def colours_of(content: bytes) -> npt.NDArray[np.uint8] | None:
    """The pixels (H, W, 3) of a picture in colours; None if it is grey throughout."""
    image = open_image(content)
    if image.mode not in ("RGB", "P", "RGBA"):
        return None
    pixels = np.asarray(image.convert("RGB"))
    spread = pixels.max(-1).astype(np.int32) - pixels.min(-1)
    return pixels if np.median(spread) > 8 else None


def known(content: bytes, name: str, size: int, fit: str) -> npt.NDArray[np.bool_]:
    """A file that says where depth or mask is known (anything above 0), in its square, (size, size)."""
    whole = numbers_of(content, name)
    return np.asarray(Placement.of(whole.shape[1], whole.shape[0], size, fit).pick(whole)) > 0


def encode_depth(values: npt.NDArray[np.float32], dtype: np.dtype[np.generic]) -> Array:
    """Depths in [0, 1], -1 where unknown, as integers: of 8 bits where all are known, else of 16 with 0 for unknown."""
    if dtype == np.uint8:
        return np.rint(values * 255).astype(np.uint8)
    return np.where(values < 0, 0, np.rint(values * CODES) + 1).astype(np.uint16)


def decode_depth(codes: Array) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The inverse of `encode_depth`: depths, 0 where unknown, and where they are known, 0 or 1."""
    if codes.dtype == np.uint8:
        return codes.astype(np.float32) / np.float32(255), np.ones(codes.shape, dtype=np.float32)
    is_known = codes > 0
    values = (codes.astype(np.float32) - 1) / np.float32(CODES)
    return np.where(is_known, values, np.float32(0)), is_known.astype(np.float32)


def check_aspect(what: str, aspect: float, picture: float) -> None:
    """Refuse a partner of another shape than its picture.

    Raises:
        BadFile: width over height differs by more than 3 %.
    """
    if abs(aspect / picture - 1) > _ASPECT_TOLERANCE:
        raise BadFile(f"{what}: {aspect:.3f} times as wide as high, its picture {picture:.3f}: not of one scene")


def rgb(image: Image.Image) -> Image.Image:
    """A picture of any pixel format in 8-bit red, green and blue.

    Raises:
        BadFile: a format without colour or grey.
    """
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB").convert("RGB")
    if image.mode in ("L", "RGBA", "LA", "CMYK", "YCbCr", "1", "PA", "RGBa", "La", "LAB", "HSV"):
        return image.convert("RGB")
    raise BadFile(f"a photograph of pixel format {image.mode!r}")


def _npy(content: bytes) -> Array:
    try:
        whole = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise BadFile(f"cannot be read as npy: {error}") from error
    if not isinstance(whole, np.ndarray) or whole.dtype.kind not in "uifb":
        raise BadFile("an npy file without numbers")
    numbers: Array = whole.squeeze()
    if numbers.ndim != 2:
        raise BadFile(f"numbers of shape {whole.shape}, not height x width")
    return numbers


def _pfm(content: bytes) -> Array:
    try:
        kind, shape, scale, body = content.split(b"\n", 3)
        width, height = (int(word) for word in shape.split())
        order = "<" if float(scale) < 0 else ">"
        if kind.strip() != b"Pf" or len(body) < 4 * width * height:
            raise ValueError("cut short" if kind.strip() == b"Pf" else "not of one channel")
        return np.frombuffer(body, dtype=f"{order}f4", count=width * height).reshape(height, width)[::-1]
    except ValueError as error:
        raise BadFile(f"cannot be read as pfm: {error}") from error
