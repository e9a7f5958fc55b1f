"""Whether photographs use their range: values of 12 bits in 16 are nearly black."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from bench.data.stored.decoding.images import BadFile, open_image, rgb
from bench.data.stored.files.roots import File, Roots, Unreadable

T = TypeVar("T")
_LOOKED_AT = 12
_SIDE = 64
_DARK = 64
"""Of 255; 14 of 16 bits end below it."""


def doubt_pictures(roots: Roots, files: Sequence[File]) -> str:
    """Why photographs are likely read too dark; empty where they are not.

    Args:
        roots, files: the photographs; a sample of them is read, none after the first that is bright somewhere.
    """
    return doubt_photographs(files, roots.read)


def doubt_photographs(files: Sequence[T], read: Callable[[T], bytes]) -> str:
    """The same of photographs that lie anywhere.

    Args:
        files: the photographs.
        read: their content; those that cannot be read are passed over.
    """
    step = max(1, len(files) // _LOOKED_AT)
    brightest, looked_at, wide = 0, 0, False
    for file in files[::step][:_LOOKED_AT]:
        try:
            image = open_image(read(file), least=_SIDE)
            brightest = max(brightest, int(np.asarray(rgb(image)).max(initial=0)))
        except (BadFile, Unreadable, OSError):
            continue  # named when all are decoded
        if brightest >= _DARK:
            return ""
        looked_at, wide = looked_at + 1, wide or image.mode.startswith("I")
    if not looked_at:
        return ""
    of = " of 16 bits" * wide
    way = "; if their values are of 10, 12 or 14 bits, scale them to the full range of their files" * wide
    return f"photographs{of} are nearly black: no pixel of {looked_at} is above {brightest} of 255{way}"
