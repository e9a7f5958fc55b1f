"""PNG files: of arrays, while a network computes, and of Pillow's pictures, written at once.

Pillow tries five filters on every row and holds the interpreter's lock while it does, which stops every other thread:
ten times the time of `png`, which holds no lock, for files of about the same size. `png` is meant for masks, depth, and
pictures enlarged to whole pixels.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.files import replace

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR = 0, 2
_UP = 2
"""The filter that keeps differences to the row above; flat masks and smooth depth become zeros and small numbers."""


def png(values: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    """A PNG file.

    Args:
        values: grey (H, W) of 8 or 16 bits, or red, green and blue (H, W, 3); unsigned.

    Source: W3C, Portable Network Graphics (third edition), sections 5, 9 and 11.
    """
    height, width = values.shape[:2]
    kind = _COLOUR if values.ndim == 3 else _GREY
    pixels = values.astype(values.dtype.newbyteorder(">"), order="C").view(np.uint8).reshape(height, -1)
    rows = np.empty((height, 1 + pixels.shape[1]), np.uint8)
    rows[:, 0] = _UP
    rows[:1, 1:] = pixels[:1]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    compressor = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width, height, 8 * values.dtype.itemsize, kind, 0, 0, 0)
    data = compressor.compress(rows.data) + compressor.flush()
    return _SIGNATURE + b"".join(_chunk(*part) for part in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")))


def save_png(image: Image.Image, path: Path, optimize: bool = False) -> None:
    """Write a picture, as `bench.core.files.replace` writes: a link stays a link, a device a device.

    Args:
        image: the picture.
        path: of the file.
        optimize: try harder to make it small, and take longer.

    Raises:
        OSError: it cannot be written.
    """
    content = io.BytesIO()
    image.save(content, format="PNG", optimize=optimize)
    replace(path, content.getvalue())


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
