"""How each layout writes: names, suffixes, and what becomes of depth."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import BenchError
from bench.data.images.colour_maps import painted
from bench.data.stored.layouts import PER_BACKGROUND, PER_PAIR, PER_PART

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
        names: names of the other fields.
        depth: how depth is written.
        most: greatest numbers of a background and of a quartet among its pair's; None for any.
    """

    background: Callable[[int], str]
    names: Callable[[Place], Mapping[str, str]]
    depth: Depth
    most: tuple[int, int] | None = None

    def check(self, place: Place, layout: str) -> None:
        """Refuse what a layout has no number for.

        Raises:
            BenchError: too many backgrounds, or too many quartets of one pair.
        """
        if self.most is None:
            return
        backgrounds, per_pair = self.most
        if place.bg > backgrounds or place.n > per_pair:
            raise BenchError(
                f"layout {layout} has numbers for {backgrounds} backgrounds, and for {per_pair} quartets of one and "
                "one object; this data has more: export fewer, or in another layout (003, 004)"
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
    """Millimetres where depth is metric, 0 for unknown; 8 bits else."""
    metric = re.fullmatch(r"metric, 1\.0 = ([0-9.]+) m", encoding)
    if metric is None:
        return _plain(depth, known, encoding)
    millimetres: Pixels = np.rint(np.where(known, depth, 0) * (float(metric[1]) * 1000)).clip(0, 65535)
    return millimetres.astype(np.uint16)


def _names_000(place: Place) -> Mapping[str, str]:
    part = (place.fg - 1) // 20
    n = PER_PART * part + PER_BACKGROUND * (place.bg - 1) + PER_PAIR * ((place.fg - 1) % 20) + place.n
    folder = f"data_{part + 1}"
    return {
        "bg_fg": f"{folder}/Fg-Bg/fg-bg{n}.jpg",
        "mask": f"{folder}/Fg-Bg-Mask/fg-bg-mask{n}.jpg",
        "depth": f"{folder}/Depth/depth{n}.jpg",
    }


def _names_001(place: Place) -> Mapping[str, str]:
    stem = f"{place.bg}_bg_{place.fg}_fg_{place.n}"
    return {
        "bg_fg": f"bg_fg_1/{stem}.jpg",
        "mask": f"bg_fg_mask_1/{stem}_mask.jpg",
        "depth": f"depthMap/{stem}.jpg",
    }


def _names_002(place: Place) -> Mapping[str, str]:
    stem = f"b{place.bg:03}_f{place.fg:03}_{place.n - 1}.jpg"
    return {"bg_fg": f"bg_fg/bgfg_{stem}", "mask": f"mask/mask_{stem}", "depth": f"depth/densedepth_{stem}"}


def _names_003(place: Place) -> Mapping[str, str]:
    stem = f"bg_{place.bg:03}_fg_{place.fg:03}_{place.n:03}"
    return {
        "bg_fg": f"BG_FG/{stem}.jpeg",
        "mask": f"BG_FG Masks/{stem}_mask_{place.n:03}.jpeg",
        "depth": f"DepthMaps/{stem}_depth_map_{place.n:03}.jpeg",
    }


def _names_004(place: Place) -> Mapping[str, str]:
    stem = f"bg{place.bg:03}_fg{place.fg:03}_{place.n:02}"
    return {
        "bg_fg": f"bg_fg/{stem}.jpeg",
        "mask": f"bg_fg_mask/{stem}_mask.jpeg",
        "depth": f"bg_fg_depth_map/{stem}_depth_map.jpeg",
    }


def _names_quartets(place: Place) -> Mapping[str, str]:
    stem = f"bg{place.bg:05}_fg{place.fg:05}_{place.n:03}.png"
    return {"bg_fg": f"bg_fg/{stem}", "mask": f"mask/{stem}", "depth": f"depth/{stem}"}


def _letters(number: int) -> str:
    """A name without digits whose alphabetical order is that of the numbers."""
    text = ""
    for _ in range(4):
        number, place = divmod(number, 26)
        text = chr(ord("a") + place) + text
    return f"room_{text}"


WRITERS: dict[str, Writer] = {
    "000": Writer(lambda bg: f"Background/bg{bg}.jpg", _names_000, _stretched, (100, PER_PAIR)),
    "001": Writer(lambda bg: f"bg/{bg}_bg.jpg", _names_001, _coloured),
    "002": Writer(lambda bg: f"bg/{_letters(bg)}.jpg", _names_002, _stretched),
    "003": Writer(lambda bg: f"BG/bg_{bg:03}.jpeg", _names_003, _plain),
    "004": Writer(lambda bg: f"bg/bg{bg:03}.jpeg", _names_004, _plain),
    "pairs": Writer(lambda bg: f"bg/bg{bg:05}.png", _names_quartets, _as_fine_as_can_be),
}
"""Layouts that can be written: the published ones as published, and ``pairs``, which loses nothing (PNG)."""


def find_writer(layout: str) -> Writer:
    """The writer of that name.

    Raises:
        BenchError: there is none.
    """
    if layout not in WRITERS:
        raise BenchError(f"no layout {layout!r} can be written; there are: {', '.join(WRITERS)}")
    return WRITERS[layout]
