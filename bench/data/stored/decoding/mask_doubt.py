"""Whether masks hold something that means more than black and white: classes, colours, or an object in their alpha."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from bench.data.stored.decoding.fields import DecodeOptions, is_lossy
from bench.data.stored.decoding.images import BadFile, open_image
from bench.data.stored.decoding.mask_look import look, object_in_alpha
from bench.data.stored.decoding.mask_value import colour_name, covered
from bench.data.stored.files.roots import File, Roots, Unreadable

_LOOKED_AT = 12
_SEARCHED = 96
"""Masks that are looked at before a declared value counts as missing."""
_SHADES = 32
"""More values than these are shades."""
_NOISE = 16
"""How far values may be from black and white that were saved as JPEG once."""
_SHOWN = 8
_LISTED = 16
"""Most values that an advice lists; of more it gives a range."""


def doubt_masks(roots: Roots, files: Sequence[File], options: DecodeOptions) -> str:
    """Why masks are likely not what they are read as, with the option that says what they are; empty where they are.

    A number that stands for a class is taken as a shade otherwise: class 2 as black, the unknown rim 255 as the
    object; a colour as its brightness; a cut-out as brightness times alpha.

    Args:
        roots, files: the masks; a sample of them is read.
        options: how they are read; numbers of soft masks are not doubted, nor is anything about alpha that is the mask,
            and declared values only where none of the object's occurs.
    """
    if options.values is not None:
        return _missing(roots, files, options)
    if options.foreground == "alpha":
        return ""
    found = _Found()
    for image, lossy in _opened(roots, files, _LOOKED_AT):
        found.add(image, lossy)
    return "; ".join(filter(None, [found.alpha(), found.colours(), "" if options.soft else found.numbers()]))


def _opened(roots: Roots, files: Sequence[File], most: int) -> Iterator[tuple[Image.Image, bool]]:
    """Some masks, and whether their values may be blurred; unreadable ones are named when all are decoded."""
    step = max(1, len(files) // most)
    for file in files[::step][:most]:
        try:
            yield open_image(roots.read(file)), is_lossy(file.name)
        except (BadFile, Unreadable):
            continue


class _Found:
    """What the masks that were looked at have in common."""

    def __init__(self) -> None:
        self._cut_outs = 0
        self._doubted, self._numbered, self._coloured = set[int](), set[int](), set[int]()
        self._in_palette, self._half = False, 1 << 7
        self._lossy_levels = list[int]()

    def add(self, image: Image.Image, lossy: bool) -> None:
        """Look at a mask."""
        if object_in_alpha(image):
            self._cut_outs += 1
            return
        seen = look(image, lossy)
        if seen.kind == "colours":
            if not _is_even(sorted(map(_brightness, seen.values)), 1 << 7):
                self._coloured.update(seen.values)
            return
        if lossy:
            self._lossy_levels.append(_level(image))
            return
        values, half = sorted(seen.values), 1 << (seen.bits - 1)
        if seen.kind == "palette" or not _are_shades(values, half, seen.count):
            self._doubted.update(values)
            self._in_palette, self._half = self._in_palette or seen.kind == "palette", max(self._half, half)
        elif values == [0, 1]:
            self._numbered.update(values)  # fine by itself; beside others it is one more class

    def alpha(self) -> str:
        """Of cut-outs."""
        if not self._cut_outs:
            return ""
        return (
            f"masks are pictures with an alpha channel ({self._cut_outs} of those looked at), which were read as "
            "brightness times alpha; if alpha is the object: --foreground alpha"
        )

    def colours(self) -> str:
        """Of masks in colours."""
        if not self._coloured:
            return ""
        colours = sorted(self._coloured)
        objects = [colour_name(colour) for colour in colours if colour != 0]
        listed = ",".join(objects) if len(objects) <= _LISTED else "#000001-#ffffff"
        return (
            f"masks are in colours ({_shown(list(map(colour_name, colours)))}), which were taken as shades by their "
            f"brightness; say which are the object: --mask-values 'fg={listed}'"
        )

    def _is_grey(self, values: Sequence[int]) -> bool:
        """Whether they are an object that is not quite white, on black."""
        return not self._in_palette and len(values) == 2 and values[0] == 0 and values[1] >= self._half

    def numbers(self) -> str:
        """Of masks of classes, and of those whose white is a grey."""
        level = max(self._lossy_levels, default=0)
        if not self._doubted and 2 * _NOISE < level < 255 - 2 * _NOISE:
            return _grey_object(level)
        if not self._doubted:
            return ""
        values = sorted(self._doubted | self._numbered)
        if self._is_grey(values):
            return _grey_object(values[1])
        palette = " of a palette in colours" * self._in_palette
        return (
            f"masks hold the numbers {_shown(list(map(str, values)))}{palette}, which were taken as shades; "
            f"if they are classes: {_advice(values, self._half)}"
        )


def _grey_object(level: int) -> str:
    return (
        f"masks show the object as {level}, which was taken as a shade, so that its rim or all of it is lost; "
        f"if it is the object: --mask-values 'fg={level}'"
    )


def _level(image: Image.Image) -> int:
    """Of what is bright in a mask, the typical brightness; 0 of one that is black throughout."""
    grey = np.asarray(image.convert("L"))
    return int(np.median(grey[grey > grey.max() / 2])) if grey.any() else 0


def _missing(roots: Roots, files: Sequence[File], options: DecodeOptions) -> str:
    """That none of the declared values of the object occurs, and which values do."""
    assert options.values is not None
    others, looked_at = Counter[str](), 0
    for most in (_LOOKED_AT, _SEARCHED):  # more only where some have none
        others, looked_at = Counter(), 0
        for image, lossy in _opened(roots, files, most):
            try:
                if covered(image, options.values.foreground, lossy).any():
                    return ""
            except ValueError:
                continue  # named when all are decoded
            looked_at += 1
            seen = look(image, lossy)
            others.update(map(colour_name if seen.kind == "colours" else str, seen.values))
    if not looked_at:
        return ""
    written = ",".join(map(str, options.values.foreground))
    held = _shown([name for name, _ in others.most_common()]) or "no value over an area"
    return (
        f"none of the declared values of the object, fg={written}, occurs in the {looked_at} masks that were "
        f"looked at; these hold {held}: see --mask-values"
    )


def _brightness(colour: int) -> int:
    return Image.new("RGB", (1, 1), colour_name(colour)).convert("L").getpixel((0, 0))  # type: ignore[return-value]


def _are_shades(values: Sequence[int], half: int, count: int = 0) -> bool:
    """Whether values are black and white or next to them, the numbers 0 and 1, or so many that they are no classes.

    Args:
        values: those that fill a square.
        half: between black and white.
        count: of all values, those of soft rims too.
    """
    if len(values) < 2 or list(values) == [0, 1]:
        return True
    if len(values) > _SHADES:
        return half == 1 << 7 or values[-1] >= half  # of 16 bits, many that are all dark are numbers of objects
    low, high = ([value for value in values if (value >= half) == above] for above in (False, True))
    scale = half // 128
    blurred = max(low, default=0) <= _NOISE * scale and min(high, default=255 * scale) >= (255 - _NOISE) * scale
    return _is_even(values, half) or bool(low and high and blurred and (len(high) > 1 or count > _SHADES))


def _is_even(values: Sequence[int], half: int) -> bool:
    """Whether two values lie as far below a half as above it, so that the half of a mixed pixel is that of its area."""
    if len(values) != 2:
        return False
    low, high = values
    return low < half <= high and abs(low + high - 2 * half) <= _NOISE * (half // 128)


def _advice(values: Sequence[int], half: int) -> str:
    if len(values) == 2 and values[0] < half <= values[1]:  # the brighter one, as it was read
        return f"--mask-values 'fg={values[1]}'"
    objects = [value for value in values if value not in (0, 255)] or [255]
    if len(objects) > _LISTED or (objects[-1] > 255 and len(objects) > _SHOWN):
        rest = "65535" if objects[-1] > 255 else "254 unknown=255" if 255 in values else "255"
        return f"--mask-values 'fg=1-{rest}'"
    unknown = " unknown=255" if 255 in values and objects != [255] else ""
    return f"--mask-values 'fg={','.join(map(str, objects))}{unknown}'"


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + " ..." * (len(names) > _SHOWN)
