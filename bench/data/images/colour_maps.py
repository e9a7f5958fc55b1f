"""Depth that was saved as a colour picture, turned back: the colour maps by name, and the nearest entry of each colour.

JPEG blurs colours, so that what comes back is near the number and not the number itself: how far each colour lay
from the map is kept, and stated.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from bench.core.errors import BenchError

Colours = npt.NDArray[np.uint8]

_DIFFERENCES = {
    "inferno": (
        "c-nnYff9uv2!rhX{~u?`HW6PJ%pqLTG0e>d{DJHs!U>Qs;e$R4<q|F;;(*eOB!nkOv@Yrca*^RRewRH^w6*urP6u^geWN|pynv!x"
        "9d(YM%G6!t7O)v|#%cbNLw)LdoUU&gNobki>0F5>sw(}<pOS}zaOtF1yLP_vOejQK(?U6N(<p5Kb`Gcg5T42nM;>jU"
    ),
    "magma": (
        "c-nnZ0TRO?2ov1@zwB-SL$G!b1Lv7mfnj3+W>_$1*l-6$vculB^q1sG_f&LnT*IwwB;bXl<Uh79*?xVvf`0)m>K0|9YP!<*pnj$W"
        "Ho~<BT6(W=N!o!IuJjWh_vy5m1SCzK_+2Be79*q0Xg#o_&`SykB*7c7NQn@fO{<x$$z{pxF?9O+h+oRdEx7"
    ),
    "plasma": (
        "c-nnZ(Gq|l2qSyxrSI;mJ2C|}$P4BM#ifDg-mSHcVVl!tfQC>Ip2!euQVL*FB1t3_0_pB#FoG&XUyx78p<ZRRMYVp1H;99feg3sA"
        ")Bo4RL9{ZMiYEd{uGmd51vLB9=;&~m0@2nNV?h=Pr?S>RSw0n~IbOAM`Rx3X4DD6-1AJtl3j"
    ),
    "viridis": (
        "c-n<hi4lY#3{0@KE8+St<xsL4Sjp&Rzu+jyOg`opECkc)X`Q6qnhK3HNo_OG;RhV>kb4UegZDb1pdhW1hA(9608i7%o<`5u+O6#W"
        "6MI|R-q~_nLKyo3Fq1@l=e3($blyl0DjP1z=#&|HsQxfvb9OjPgHv1mpkyG8q{bp%?-(;)vb7T{kBAB"
    ),
}
"""Matplotlib's tables (CC0, by van der Walt and Smith): each entry's difference from the last, by channel, packed."""
_JET = (
    ((0, 0.35, 0.66, 0.89, 1), (0, 0, 1, 1, 0.5)),
    ((0, 0.125, 0.375, 0.64, 0.91, 1), (0, 0, 1, 1, 0, 0)),
    ((0, 0.11, 0.34, 0.65, 1), (0.5, 1, 1, 0, 0)),
)
"""Matplotlib's corners of red, green and blue."""
_BITS = 5
"""A channel, of the table that gives the nearest entry of every colour."""


def _unpacked(text: str) -> Colours:
    differences = np.frombuffer(zlib.decompress(base64.b85decode(text)), dtype=np.uint8).reshape(3, 256)
    return differences.cumsum(axis=1, dtype=np.uint8).T.copy()


def _jet() -> Colours:
    place = np.arange(256) / 255
    channels = [np.interp(place, places, values) for places, values in _JET]
    return (np.stack(channels, axis=1) * 255).round().astype(np.uint8)


_TABLES: dict[str, Callable[[], Colours]] = {
    "jet": _jet,
    **{name: partial(_unpacked, text) for name, text in _DIFFERENCES.items()},
}
NAMES = tuple(sorted(_TABLES))


@cache
def colour_map(name: str) -> Colours:
    """The 256 colours of a map, (256, 3), the first for 0.

    Raises:
        BenchError: no such map.
    """
    if name not in _TABLES:
        raise BenchError(f"unknown colour map {name!r}; choose one of: {', '.join(NAMES)}")
    return _TABLES[name]()


@cache
def _nearest_entries(name: str) -> npt.NDArray[np.uint8]:
    """The entry nearest to the middle of each of 32 x 32 x 32 boxes of colours, (32768,)."""
    side = 1 << _BITS
    axis = (np.arange(side) + 0.5) * (256 / side)
    boxes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    table = colour_map(name).astype(np.float64)
    found = np.empty(len(boxes), dtype=np.uint8)
    for start in range(0, len(boxes), 4096):
        some = boxes[start : start + 4096]
        found[start : start + 4096] = ((some[:, None] - table[None]) ** 2).sum(2).argmin(1)
    return found


def entries(pixels: Colours, name: str) -> tuple[npt.NDArray[np.uint8], float]:
    """The number behind each colour, (H, W) from 0 to 255, and the median distance of the colours from their entries.

    Args:
        pixels: (H, W, 3).
        name: of the map.
    """
    table = colour_map(name).astype(np.int32)
    box = (pixels >> (8 - _BITS)).astype(np.int32)
    first = _nearest_entries(name)[(box[..., 0] << 2 * _BITS) + (box[..., 1] << _BITS) + box[..., 2]].astype(np.int32)
    best, least = first, np.full(first.shape, np.iinfo(np.int32).max, dtype=np.int32)
    for step in range(-6, 7):  # the box's middle gives the neighbourhood, the colour itself the entry in it
        candidate = np.clip(first + step, 0, 255)
        distance = ((pixels.astype(np.int32) - table[candidate]) ** 2).sum(-1)
        best, least = np.where(distance < least, candidate, best), np.minimum(distance, least)
    return best.astype(np.uint8), float(np.median(np.sqrt(least)))


def likely(pixels: Colours) -> tuple[str, float]:
    """The map whose colours a picture (H, W, 3) has, and their median distance from it, in levels of 255."""
    return min(((name, entries(pixels, name)[1]) for name in NAMES), key=lambda found: found[1])


def painted(numbers: npt.NDArray[np.uint8], name: str) -> Colours:
    """Numbers (H, W) as colours of a map, (H, W, 3)."""
    return colour_map(name)[numbers]
