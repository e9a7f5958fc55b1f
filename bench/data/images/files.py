"""Image files to tensors: photographs, cut-outs with alpha, depth maps; problems are reported by file name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.core.errors import BadData
from bench.data.depth_units import DepthUnit, Numbers
from bench.data.images.file_names import counted, printable, stem_of
from bench.data.stored.decoding.images import BadFile, open_image, rgb
from bench.data.stored.decoding.numbers import numbers_of

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"})
"""Of image files, in small letters."""
DEPTH_SUFFIXES = SUFFIXES | {".npy", ".pfm"}
VEIL = 8
"""Alpha below this, of 255, counts as transparent when cut-outs are trimmed."""
_ASPECT_TOLERANCE = 0.03
_SAMPLED = 4
"""Of the numbers of a depth map every fourth row and column are checked against its unit."""
T = TypeVar("T")


class BadImage(ValueError):
    """A file that cannot be used; the message is the reason."""


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
    """What the usable files of a folder hold.

    Attributes:
        images: by file name without suffix, in alphabetical order.
        contents: a digest of each of these files.
        names: the name of each of these files, for messages.
        problems: what is wrong with the others, by path.
        digest: of names and bytes of the good files, whatever the folder is called.
        ignored: the suffix of each file that is no image.
    """

    images: dict[str, T]
    contents: dict[str, str]
    names: dict[str, str]
    problems: list[tuple[str, str]]
    digest: str
    ignored: list[str]


def read_folder(
    folder: Path, what: str, decode: Callable[[str, bytes, str], T], suffixes: frozenset[str] = SUFFIXES
) -> Folder[T]:
    """Decode every image file of a folder; hidden files are left out, files of other suffixes counted.

    Args:
        folder: where they lie; folders within are not entered.
        what: what they are, for messages.
        decode: from a name without suffix, a file's content and its name; raises `BadImage`.
        suffixes: of image files, in small letters.

    Raises:
        BadData: the folder is missing, is no folder, or holds no image file.
    """
    if not folder.is_dir():
        raise BadData([(str(folder), f"no such folder (of {what})" if not folder.exists() else "not a folder")])
    listed = sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: path.name)
    files = [path for path in listed if path.suffix.lower() in suffixes]
    others = [path for path in listed if path.suffix.lower() not in suffixes and path.is_file()]
    found: Folder[T] = Folder({}, {}, {}, [], "", [path.suffix.lower() or "without suffix" for path in others])
    if not files:
        there_are = f"; it holds {counted(found.ignored)}" if others else ""
        raise BadData([(str(folder), f"holds no image files (of {what}){there_are}")])
    digest = hashlib.sha256()
    for path in files:
        stem = stem_of(path)
        try:
            if not path.is_file():  # opening a named pipe would wait for ever
                raise BadImage("a link that leads nowhere" if path.is_symlink() else "not a regular file")
            if stem in found.images:
                raise BadImage("another file has this name with another suffix")
            content = path.read_bytes()
            found.images[stem] = decode(stem, content, path.name)
            found.contents[stem], found.names[stem] = hashlib.sha256(content).hexdigest(), printable(Path(path.name))
            digest.update(os.fsencode(stem) + b"\0" + hashlib.sha256(content).digest())
        except (BadImage, BadFile, OSError) as error:
            found.problems.append((printable(path), str(error) or type(error).__name__))
    found.digest = digest.hexdigest()
    return found


def _square(image: Image.Image) -> Image.Image:
    """The middle of an image, as high as wide."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def photograph(content: bytes, side: int) -> tuple[Tensor, tuple[int, int]]:
    """The middle square of a photograph as (3, side, side) uint8, and the photograph's width and height.

    What is transparent shows white, as viewers have it, not the colour hidden under it.

    Raises:
        BadImage, BadFile: no image, or a pixel format without colour or grey.
    """
    image = open_image(content)
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    pixels = np.asarray(_square(rgb(image)).resize((side, side), Image.Resampling.BOX))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous(), image.size


def cutout(content: bytes, side: int) -> Cutout:
    """A cut-out with straight alpha, trimmed to what is visible, its longer side at most ``side``.

    Raises:
        BadImage, BadFile: no image, no alpha channel, or no pixel that is at least half opaque.
    """
    image = open_image(content)
    if "A" not in image.getbands() and "transparency" not in image.info:
        raise BadImage(f"a cut-out without alpha channel (pixel format {image.mode!r})")
    rgba = image.convert("RGBA")
    # Programs that cut out leave a veil of 1 or 2 of 255 far away from the object.
    box = rgba.getchannel("A").point([0] * VEIL + [255] * (256 - VEIL)).getbbox()
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
        raise BadImage("a cut-out too thin to be visible")
    lowest = int(rows.max())
    # The lowest fiftieth of the object, so that a stray pixel does not decide.
    standing = columns[rows >= lowest - pixels.shape[1] // 50].float().mean().item()
    return Cutout(pixels, ((standing + 0.5) / pixels.shape[2], (lowest + 1) / pixels.shape[1]))


def depth_map(content: bytes, name: str, unit: DepthUnit, photo: tuple[int, int], side: int) -> tuple[Tensor, Numbers]:
    """The middle square of a depth map, (side, side) float32 in [0, 1], -1 where unknown, and its numbers.

    Args:
        content, name: of the file.
        unit: how its numbers are to be read.
        photo: width and height of its photograph, upright, to which it belongs as a whole.
        side: picked without mixing neighbours.

    Raises:
        BadImage, BadFile: no numbers, numbers of another type than the unit's, or another aspect than the photograph's.
    """
    numbers = numbers_of(content, name)
    wanted = {"8bit": "8-bit", "16bit": "16-bit", "m": "float", "unit": "float"}.get(unit.name, "16-bit")
    kind = {"u1": "8-bit", "b1": "1-bit", "f4": "float", "f8": "float", "f2": "float"}.get(
        numbers.dtype.str[1:], "16-bit"
    )
    if kind != wanted:
        raise BadImage(f"a depth map of {kind} numbers where {wanted} numbers were declared (unit {unit.name})")
    height, width = numbers.shape
    if abs(width / height / (photo[0] / photo[1]) - 1) > _ASPECT_TOLERANCE:
        raise BadImage(f"{width}x{height}, another aspect than its photograph's {photo[0]}x{photo[1]}")
    small = min(height, width)
    top, left = (height - small) // 2, (width - small) // 2
    square = torch.from_numpy(unit.read(numbers[top : top + small, left : left + small]))
    pick = ((torch.arange(side) + 0.5) * (small / side)).long()
    return square[pick][:, pick], numbers[::_SAMPLED, ::_SAMPLED].astype(np.float32)
