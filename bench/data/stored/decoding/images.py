"""Image files as Pillow images, upright, and in red, green and blue."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

_ORIENTATION = 0x0112
_QUARTERS = (5, 6, 7, 8)
_JPEG = b"\xff\xd8\xff"


class BadFile(ValueError):
    """A file that cannot be used; the message is the reason."""


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
        image = _opened(content)
        most = Image.MAX_IMAGE_PIXELS
        if most is not None and image.width * image.height > most:  # Pillow warns, and refuses twice as many
            raise BadFile(f"too large: {image.width} x {image.height} pixels, more than Pillow's limit of {most:,}")
        if image.format == "JPEG" and (grey or least):
            scale = max(1.0, min(image.size) / least) if least else 1.0
            wanted = (int(image.width / scale), int(image.height / scale))
            image.draft("L" if grey else None, wanted if least else image.size)
        image.load()
        return ImageOps.exif_transpose(image) if _orientation(image) != 1 else image
    except BadFile:
        raise
    except Image.DecompressionBombError as error:
        raise BadFile(f"too large: {error}") from error
    except UnidentifiedImageError as error:
        raise BadFile("not an image that Pillow can read") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadFile(f"cannot be decoded: {error}") from error


def is_turned(content: bytes) -> bool:
    """Whether a file's EXIF orientation turns it by a quarter, so that it is as wide as its pixels are high."""
    return orientation(content)[0] in _QUARTERS


def orientation(content: bytes) -> tuple[int, float]:
    """A file's EXIF orientation, 1 (upright) to 8, and width over height as its pixels lie; 1, 0 of no image."""
    try:
        image = _opened(content)
        return _orientation(image), image.width / image.height
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return 1, 0.0  # numbers


def _orientation(image: Image.Image) -> int:
    return int(image.getexif().get(_ORIENTATION, 1))


def _opened(content: bytes) -> Image.Image:
    """The image, not decoded yet; of a JPEG without the search for its format, which costs a sixth of decoding it."""
    return JpegImageFile(io.BytesIO(content)) if content.startswith(_JPEG) else Image.open(io.BytesIO(content))


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
