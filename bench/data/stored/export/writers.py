"""How each layout writes: names, suffixes, and what becomes of depth."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import BenchError
from bench.data.depth_units import metres
from bench.data.images.colour_maps import painted
from bench.data.stored.naming.published import PER_BACKGROUND, PER_PAIR, PER_PART

Pixels = npt.NDArray[Any]
Depth = Callable[[npt.NDArray[np.float32], npt.NDArray[np.bool_], str], Pixels]
"""Depths in [0, 1] (H, W), where they are known, and their encoding, to pixels."""
_COLOURS = "plasma"


@dataclass(frozen=True)
class Place:
    """Which quartet of a set: numbers of its background, its object, and of it among those of this pair, from 1."""

    bg: int
    fg: int
    n: int


@dataclass(frozen=True)
class Writer:
    """One layout.

    Attributes:
        background: name of a background, by its number.
        patterns: names of the other fields, to be filled with ``bg``, ``fg``, ``n``, ``from_0`` (n - 1) and `numbers`.
        depth: how depth is written.
        most: greatest numbers of a background and of a quartet among its pair's; None for any.
        numbers: further numbers of a quartet.
    """

    background: Callable[[int], str]
    patterns: Mapping[str, str]
    depth: Depth
    most: tuple[int, int] | None = None
    numbers: Callable[[Place], Mapping[str, int]] = lambda place: {}

    def names(self, place: Place) -> dict[str, str]:
        """Names of a quartet's files but its background's, by field."""
        numbers = {"bg": place.bg, "fg": place.fg, "n": place.n, "from_0": place.n - 1, **self.numbers(place)}
        return {field: pattern.format(**numbers) for field, pattern in self.patterns.items()}

    def keeps_unknown(self, encoding: str) -> bool:
        """Whether unknown depth is told apart from depth of 0, in a depth encoding."""
        return self.depth is _as_fine_as_can_be and metres(encoding) is not None

    def check(self, place: Place, layout: str) -> None:
        """Refuse what a layout has no number for.

        Raises:
            BenchError: too many backgrounds, or too many quartets of a pair.
        """
        if self.most is None:
            return
        backgrounds, per_pair = self.most
        if place.bg > backgrounds or place.n > per_pair:
            raise BenchError(
                f"layout {layout} has numbers for {backgrounds} backgrounds, and for {per_pair} quartets of the same "
                "background and object; this data has more: export fewer, or in another layout (003, 004)"
            )


def encode(pixels: Pixels, name: str, quality: int) -> bytes:
    """The file of some pixels, (H, W) or (H, W, 3) of 8 bits, or (H, W) of 16, in the format that its name says."""
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    if name.endswith(".png"):
        image.save(file, "PNG", compress_level=1)
    else:
        image.save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


def _plain(depth: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], encoding: str) -> Pixels:
    levels: Pixels = np.rint(np.where(known, depth, 0) * 255).astype(np.uint8)
    return levels


def _stretched(depth: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], encoding: str) -> Pixels:
    if not known.any():
        return np.zeros(depth.shape, dtype=np.uint8)
    low, high = float(depth[known].min()), float(depth[known].max())
    stretched: Pixels = np.rint(np.where(known, depth - low, 0) * (255 / max(high - low, 1e-6))).astype(np.uint8)
    return stretched


def _coloured(depth: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], encoding: str) -> Pixels:
    return painted(np.rint(np.where(known, depth, 0) * 255).astype(np.uint8), _COLOURS)


def _as_fine_as_can_be(depth: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], encoding: str) -> Pixels:
    """Millimetres where depth is metric, 0 for what is unknown or beyond 65.5 m; 8 bits else."""
    full = metres(encoding)
    if full is None:
        return _plain(depth, known, encoding)
    millimetres: Pixels = np.rint(np.where(known, depth, 0) * (full * 1000))
    return np.where(millimetres > np.iinfo(np.uint16).max, 0, millimetres).astype(np.uint16)


def _number_000(place: Place) -> dict[str, int]:
    """The part that a quartet lies in, and its number in the whole set."""
    part = (place.fg - 1) // 20
    within = PER_BACKGROUND * (place.bg - 1) + PER_PAIR * ((place.fg - 1) % 20) + place.n
    return {"part": part + 1, "number": PER_PART * part + within}


def _letters(number: int) -> str:
    """A name without digits whose alphabetical order is that of the numbers."""
    text = ""
    for _ in range(4):
        number, place = divmod(number, 26)
        text = chr(ord("a") + place) + text
    return f"room_{text}"


WRITERS: dict[str, Writer] = {
    "000": Writer(
        lambda bg: f"Background/bg{bg}.jpg",
        {
            "bg_fg": "data_{part}/Fg-Bg/fg-bg{number}.jpg",
            "mask": "data_{part}/Fg-Bg-Mask/fg-bg-mask{number}.jpg",
            "depth": "data_{part}/Depth/depth{number}.jpg",
        },
        _stretched,
        (100, PER_PAIR),
        _number_000,
    ),
    "001": Writer(
        lambda bg: f"bg/{bg}_bg.jpg",
        {
            "bg_fg": "bg_fg_1/{bg}_bg_{fg}_fg_{n}.jpg",
            "mask": "bg_fg_mask_1/{bg}_bg_{fg}_fg_{n}_mask.jpg",
            "depth": "depthMap/{bg}_bg_{fg}_fg_{n}.jpg",
        },
        _coloured,
    ),
    "002": Writer(
        lambda bg: f"bg/{_letters(bg)}.jpg",
        {
            "bg_fg": "bg_fg/bgfg_b{bg:03}_f{fg:03}_{from_0}.jpg",
            "mask": "mask/mask_b{bg:03}_f{fg:03}_{from_0}.jpg",
            "depth": "depth/densedepth_b{bg:03}_f{fg:03}_{from_0}.jpg",
        },
        _stretched,
    ),
    "003": Writer(
        lambda bg: f"BG/bg_{bg:03}.jpeg",
        {
            "bg_fg": "BG_FG/bg_{bg:03}_fg_{fg:03}_{n:03}.jpeg",
            "mask": "BG_FG Masks/bg_{bg:03}_fg_{fg:03}_{n:03}_mask_{n:03}.jpeg",
            "depth": "DepthMaps/bg_{bg:03}_fg_{fg:03}_{n:03}_depth_map_{n:03}.jpeg",
        },
        _plain,
    ),
    "004": Writer(
        lambda bg: f"bg/bg{bg:03}.jpeg",
        {
            "bg_fg": "bg_fg/bg{bg:03}_fg{fg:03}_{n:02}.jpeg",
            "mask": "bg_fg_mask/bg{bg:03}_fg{fg:03}_{n:02}_mask.jpeg",
            "depth": "bg_fg_depth_map/bg{bg:03}_fg{fg:03}_{n:02}_depth_map.jpeg",
        },
        _plain,
    ),
    "pairs": Writer(
        lambda bg: f"bg/bg{bg:05}.png",
        {field: field + "/bg{bg:05}_fg{fg:05}_{n:03}.png" for field in ("bg_fg", "mask", "depth")},
        _as_fine_as_can_be,
    ),
}
"""Layouts that can be written: the published ones as published, and ``pairs`` (PNG), where metric depth stays whole."""


def find_writer(layout: str) -> Writer:
    """The writer of that name.

    Raises:
        BenchError: an unknown name.
    """
    if layout not in WRITERS:
        raise BenchError(f"no layout {layout!r} can be written; known: {', '.join(WRITERS)}")
    return WRITERS[layout]
