"""Image files to tensors: photographs, cut-outs with alpha, depth maps; what is wrong with a file is said by name."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from bench.core.errors import BadData

_SUFFIXES = {".jpg", ".jpeg", ".png"}
_ASPECT_TOLERANCE = 0.03
T = TypeVar("T")


class BadImage(ValueError):
    """A file that cannot be used; the message is the reason."""


@dataclass(frozen=True)
class DepthUnit:
    """How a depth map's numbers are to be read.

    Attributes:
        encoding: what a depth of 1.0 means.
        modes: Pillow's names of the pixel formats such a file may have.
        full: the number that becomes 1.0; greater ones are invalid.
        holes: whether 0 means that depth is unknown.
    """

    encoding: str
    modes: tuple[str, ...]
    full: float
    holes: bool


DEPTH_UNITS: dict[str, DepthUnit] = {
    "mm": DepthUnit("metric, 1.0 = 10 m", ("I;16", "I;16B", "I;16L", "I"), 10_000.0, holes=True),
    "8bit": DepthUnit("8-bit map, 1.0 = 255, greater is farther", ("L",), 255.0, holes=False),
}


@dataclass(frozen=True)
class Cutout:
    """An object without its background, trimmed to what is not transparent.

    Attributes:
        pixels: premultiplied red, green, blue and alpha, (4, h, w) float32 in [0, 1].
        foot: where it stands, as fractions of its width and height, right and down.
    """

    pixels: Tensor
    foot: tuple[float, float]


@dataclass
class Folder(Generic[T]):
    """What the usable files of a folder hold, by file name without suffix, in alphabetical order."""

    images: dict[str, T]
    problems: list[tuple[str, str]]
    digest: str


def read_folder(folder: Path, what: str, decode: Callable[[str, Image.Image], T]) -> Folder[T]:
    """Decode every image file (jpg, jpeg, png) of a folder; other files are ignored.

    Args:
        folder: where they lie; folders within are not entered.
        what: what they are, for messages.
        decode: from a name without suffix and an opened image; raises `BadImage`.

    Returns:
        images, what is wrong by file, and a digest of names and bytes of the good files, whatever the folder is called.

    Raises:
        BadData: the folder is missing, is no folder, or holds no image file.
    """
    if not folder.is_dir():
        raise BadData([(str(folder), f"no such folder (of {what})" if not folder.exists() else "not a folder")])
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise BadData([(str(folder), f"holds no jpg or png files (of {what})")])
    found: Folder[T] = Folder({}, [], "")
    digest = hashlib.sha256()
    for path in files:
        try:
            if path.stem in found.images:
                raise BadImage("another file has this name with another suffix")
            content = path.read_bytes()
            found.images[path.stem] = decode(path.stem, _open(content))
            digest.update(path.stem.encode() + b"\0" + hashlib.sha256(content).digest())
        except (BadImage, OSError) as error:
            found.problems.append((str(path), str(error) or type(error).__name__))
    found.digest = digest.hexdigest()
    return found


def _open(content: bytes) -> Image.Image:
    """The decoded image.

    Raises:
        BadImage: not an image, cut short, or larger than Pillow's limit against decompression bombs.
    """
    if not content:
        raise BadImage("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise BadImage(f"too large: {error}") from error
    except UnidentifiedImageError as error:
        raise BadImage("not an image that Pillow can read") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadImage(f"cannot be decoded: {error}") from error
    return image


def _square(image: Image.Image) -> Image.Image:
    """The middle of an image, as high as wide."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def photograph(image: Image.Image, side: int) -> tuple[Tensor, tuple[int, int]]:
    """The middle square of a photograph as (3, side, side) uint8, and the photograph's width and height.

    Raises:
        BadImage: 16 bits a channel, or a pixel format without colour or grey.
    """
    if image.mode not in ("RGB", "L", "P", "RGBA", "LA", "CMYK", "YCbCr", "1"):
        raise BadImage(f"a photograph of pixel format {image.mode!r} (8-bit RGB or grey is meant)")
    upright = ImageOps.exif_transpose(image)
    pixels = np.asarray(_square(upright.convert("RGB")).resize((side, side), Image.Resampling.BOX))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous(), upright.size


def cutout(image: Image.Image, side: int) -> Cutout:
    """A cut-out with straight alpha, its longer side at most ``side``.

    Raises:
        BadImage: no alpha channel, or nothing in it that is at least half opaque.
    """
    if "A" not in image.getbands() and "transparency" not in image.info:
        raise BadImage(f"a cut-out without alpha channel (pixel format {image.mode!r})")
    rgba = image.convert("RGBA")
    box = rgba.getchannel("A").getbbox()
    if box is None or np.asarray(rgba)[..., 3].max() < 128:
        raise BadImage("a cut-out that is transparent everywhere")
    straight = torch.from_numpy(np.asarray(rgba.crop(box)).copy()).permute(2, 0, 1).float() / 255
    pixels = torch.cat([straight[:3] * straight[3:], straight[3:]])
    height, width = pixels.shape[1:]
    if max(height, width) > side:
        shrunk = [max(1, round(length * side / max(height, width))) for length in (height, width)]
        pixels = torch.nn.functional.interpolate(
            pixels[None], size=shrunk, mode="bilinear", antialias=True, align_corners=False
        )[0]
    rows, columns = torch.nonzero(pixels[3] > 0.5, as_tuple=True)
    if len(rows) == 0:
        raise BadImage("a cut-out too thin to be seen")
    lowest = int(rows.max())
    # The lowest fiftieth of the object, so that one stray picture element does not decide.
    standing = columns[rows >= lowest - pixels.shape[1] // 50].float().mean().item()
    return Cutout(pixels, ((standing + 0.5) / pixels.shape[2], (lowest + 1) / pixels.shape[1]))


def depth_map(image: Image.Image, unit: DepthUnit, photo: tuple[int, int], side: int) -> Tensor:
    """The middle square of a depth map, (side, side) float32 in [0, 1], -1 where depth is unknown.

    Args:
        image: the file.
        unit: how its numbers are to be read.
        photo: width and height of its photograph, to which it belongs as a whole.
        side: picked without mixing neighbours.

    Raises:
        BadImage: another pixel format than the unit's, or another aspect than the photograph's.
    """
    if image.mode not in unit.modes:
        raise BadImage(f"a depth map of pixel format {image.mode!r} where {' or '.join(unit.modes[:1])} was declared")
    aspect, wanted = image.width / image.height, photo[0] / photo[1]
    if abs(aspect / wanted - 1) > _ASPECT_TOLERANCE:
        raise BadImage(f"{image.width}x{image.height}, another aspect than its photograph's {photo[0]}x{photo[1]}")
    numbers = torch.from_numpy(np.asarray(_square(image)).astype(np.float32))
    pick = ((torch.arange(side) + 0.5) * (len(numbers) / side)).long()
    numbers = numbers[pick][:, pick]
    unknown = numbers > unit.full
    if unit.holes:
        unknown |= numbers <= 0
    return torch.where(unknown, torch.tensor(-1.0), numbers / unit.full)
