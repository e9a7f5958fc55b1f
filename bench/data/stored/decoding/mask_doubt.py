"""Whether masks hold numbers that mean something, such as classes, where black and white is expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.data.stored.decoding.fields import DecodeOptions, is_lossy
from bench.data.stored.decoding.images import BadFile, open_image
from bench.data.stored.files.roots import File, Roots, Unreadable

_LOOKED_AT = 12
_SHADES = 32
"""More values than these are shades."""
_GREY = 8
"""How far red, green and blue of a grey may be apart."""
_NOISE = 16
"""How far values may be from black and white that were saved as JPEG once."""


def doubt_masks(roots: Roots, files: Sequence[File], options: DecodeOptions) -> str:
    """Why masks are likely not black and white, with the option that says what they are; empty where they are.

    A number that stands for a class is taken as a shade otherwise: class 2 as black, the unknown rim 255 as the object.

    Args:
        roots, files: the masks; a sample of them is read.
        options: how they are read; declared values, soft masks and alpha are not doubted.
    """
    if options.values is not None or options.soft or options.foreground == "alpha":
        return ""
    doubted, numbered, coloured = set[int](), set[int](), False
    step = max(1, len(files) // _LOOKED_AT)
    for file in files[::step][:_LOOKED_AT]:
        if is_lossy(file.name):
            continue
        try:
            image = open_image(roots.read(file))
        except (BadFile, Unreadable):
            continue  # named when all are decoded
        has_colours = image.mode == "P" and _has_colours(image)
        if image.mode == "P" and not has_colours:
            image = image.convert("L")
        elif image.mode not in ("P", "L") and not image.mode.startswith("I"):
            continue
        values = sorted(_classes(np.asarray(image).astype(np.int64)))
        if has_colours or not _are_shades(values, 1 << 15 if image.mode.startswith("I") else 1 << 7):
            doubted.update(values)
            coloured = coloured or has_colours
        elif values == [0, 1]:
            numbered.update(values)  # fine by itself; beside others it is one more class
    if not doubted:
        return ""
    values = sorted(doubted | numbered)
    shown = ", ".join(map(str, values[:8])) + " ..." * (len(values) > 8)
    palette = " of a palette in colours" * coloured
    return (
        f"masks hold the numbers {shown}{palette}, which were taken as shades; if they are classes: {_advice(values)}"
    )


def _has_colours(image: Image.Image) -> bool:
    """Whether the colours of a palette that a picture uses are more than greys."""
    palette = np.asarray(image.getpalette("RGB"), dtype=np.int64).reshape(-1, 3)
    numbers = np.unique(np.asarray(image))
    used = palette[numbers[numbers < len(palette)]]
    return bool((used.max(-1) - used.min(-1) > _GREY).any())


def _classes(numbers: npt.NDArray[np.int64]) -> set[int]:
    """The values that fill a square of three pixels somewhere; those of soft rims do not."""
    height, width = numbers.shape
    if min(height, width) < 3:
        return set()
    middle = numbers[1:-1, 1:-1]
    flat = np.ones(middle.shape, dtype=np.bool_)
    for row in range(3):
        for column in range(3):
            flat &= numbers[row : height - 2 + row, column : width - 2 + column] == middle
    return set(np.unique(middle[flat]).tolist())


def _are_shades(values: Sequence[int], half: int) -> bool:
    """Whether values are black and white or next to them, the numbers 0 and 1, or so many that they are no classes."""
    if len(values) < 2 or list(values) == [0, 1] or len(values) > _SHADES:
        return True
    low, high = ([value for value in values if (value >= half) == above] for above in (False, True))
    scale = half // 128
    blurred = max(low, default=0) <= _NOISE * scale and min(high, default=255 * scale) >= (255 - _NOISE) * scale
    return bool(low and high) and (len(values) == 2 or (blurred and len(high) > 1))


def _advice(values: Sequence[int]) -> str:
    objects = [value for value in values if value not in (0, 255)] or [255]
    unknown = " unknown=255" if 255 in values and objects != [255] else ""
    return f"--mask-values 'fg={','.join(map(str, objects[:8]))}{unknown}'"
