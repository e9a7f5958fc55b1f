"""Depth files as the numbers that they hold, whatever these mean."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.stored.decoding.images import BadFile, open_image

Array = npt.NDArray[Any]
_KINDS = {"u": "u2", "i": "u2", "f": "f4", "b": "u1"}
KIND_NAMES = {"u1": "8-bit numbers", "u2": "16-bit numbers", "f4": "floats", "rgb": "colours"}
"""What the kinds of numbers are called."""


def kind_of(numbers: Array) -> str:
    """The type of some numbers as `DepthFacts` names it: ``u1``, ``u2`` (every greater integer) or ``f4``."""
    return "u1" if numbers.dtype.itemsize == 1 else _KINDS[numbers.dtype.kind]


def check_kind(found: str, usual: str) -> None:
    """Refuse a map whose numbers are of another kind than the set's, as they cannot be in its unit.

    Args:
        found, usual: keys of `KIND_NAMES`.

    Raises:
        BadFile: they are.
    """
    if found != usual:
        raise BadFile(f"a depth map of {KIND_NAMES[found]} among maps of {KIND_NAMES[usual]}, whose unit is another")


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


def _npy(content: bytes) -> Array:
    try:
        whole = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise BadFile(f"cannot be read as npy: {error}") from error
    if not isinstance(whole, np.ndarray) or whole.dtype.kind not in "uifb":
        raise BadFile("an npy file without numbers")
    numbers: Array = whole if whole.ndim == 2 else whole.squeeze()  # a map may be a pixel high
    if numbers.ndim != 2:
        raise BadFile(f"numbers of shape {whole.shape}, not height x width")
    return numbers


def _pfm(content: bytes) -> Array:
    try:
        kind, shape, scale, body = content.split(b"\n", 3)
        width, height = (int(word) for word in shape.split())
        order = "<" if float(scale) < 0 else ">"
        if kind.strip() != b"Pf" or len(body) < 4 * width * height:
            raise ValueError("cut short" if kind.strip() == b"Pf" else "more than one channel")
        return np.frombuffer(body, dtype=f"{order}f4", count=width * height).reshape(height, width)[::-1]
    except ValueError as error:
        raise BadFile(f"cannot be read as pfm: {error}") from error
