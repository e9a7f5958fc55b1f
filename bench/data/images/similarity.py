"""How alike pictures are: a 64-bit perceptual hash, and the nearest neighbour of each picture by it.

Two hashes of the same photograph (another size, another JPEG quality, a little brighter) differ in a few bits; two
different photographs differ in 32 on average. What differs in at most `NEAR` bits counts as the same picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

Hashes = npt.NDArray[np.uint64]

NEAR = 6
"""Greatest distance, in bits, of two hashes of the same picture."""
_ROWS, _COLUMNS = 8, 9
_LUMA = (0.299, 0.587, 0.114)
_FLAT = 0.01
_ALIKE = 0.04
_AT_ONCE = 2**22
_OBJECT_SIDE, _GREY, _MARGIN = 32, 0.5, 0.5


class Nearest(NamedTuple):
    """The nearest neighbour of each picture.

    Attributes:
        bits: how far it is, (N,) int64.
        neighbour: its index, (N,) int64.
    """

    bits: npt.NDArray[np.int64]
    neighbour: npt.NDArray[np.int64]


def difference_hash(images: Tensor) -> Hashes:
    """A 64-bit hash per picture, (B,) uint64: whether each of 8 x 8 places is darker than that on its right.

    Args:
        images: (B, 3, H, W) or (B, 1, H, W) in [0, 1], both sides at least 9 pixels.
    """
    cells = functional.interpolate(_grey(images), (_ROWS, _COLUMNS), mode="bilinear", antialias=True)[:, 0]
    bits = (cells[:, :, 1:] > cells[:, :, :-1]).flatten(1).cpu().numpy()
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def is_flat(images: Tensor) -> npt.NDArray[np.bool_]:
    """Which pictures (B, C, H, W) are nearly uniform, (B,): their hash is meaningless."""
    if not len(images):  # torch warns of deviations of nothing
        return np.zeros(0, dtype=np.bool_)
    return (_grey(images).flatten(1).std(1) < _FLAT).cpu().numpy()


def distances(first: Hashes, second: Hashes) -> npt.NDArray[np.uint8]:
    """Hamming distances of 64-bit hashes, (N,) and (M,) to (N, M)."""
    differing: npt.NDArray[np.uint8] = np.bitwise_count(first[:, None] ^ second[None, :])
    return differing


def nearest(first: Hashes, second: Hashes | None = None) -> Nearest:
    """The nearest of ``second`` to each of ``first``; without ``second``, the nearest of the rest of ``first``.

    Without any neighbour the distance is 65 and the index -1.
    """
    alone = second is None
    pool = first if second is None else second
    found = Nearest(np.full(len(first), 65, dtype=np.int64), np.full(len(first), -1, dtype=np.int64))
    if len(pool) <= (1 if alone else 0):
        return found
    step = max(1, _AT_ONCE // len(pool))
    for start in range(0, len(first), step):
        rows = slice(start, min(start + step, len(first)))
        table = distances(first[rows], pool)
        if alone:
            table[np.arange(table.shape[0]), np.arange(rows.start, rows.stop)] = 255
        found.neighbour[rows] = table.argmin(1)
        found.bits[rows] = table.min(1)
    return found


def same_pictures(hashes: Hashes, within: int = NEAR) -> npt.NDArray[np.int64]:
    """A number for each picture, (N,), equal for those that are linked by neighbours at most ``within`` bits apart."""
    numbers = np.arange(len(hashes), dtype=np.int64)

    def root(i: int) -> int:
        """The number that stands for all that are joined with this one."""
        while numbers[i] != i:
            numbers[i] = numbers[numbers[i]]
            i = int(numbers[i])
        return i

    step = max(1, _AT_ONCE // max(1, len(hashes)))
    for start in range(0, len(hashes), step):
        for i, j in zip(*np.nonzero(distances(hashes[start : start + step], hashes) <= within), strict=True):
            a, b = root(start + int(i)), root(int(j))
            numbers[max(a, b)] = min(a, b)
    return np.array([root(i) for i in range(len(hashes))], dtype=np.int64)


def near_duplicates(first: Tensor, second: Tensor, mirrored: bool = False) -> npt.NDArray[np.bool_]:
    """Which pictures of ``first`` have a near duplicate in ``second``, (N,): near by hash, and alike in colour.

    Nearly uniform pictures have none.

    Args:
        first, second: (N, C, H, W) and (M, C, H, W) in [0, 1].
        mirrored: whether the mirror image of a picture is a duplicate of it.
    """
    found = np.zeros(len(first), dtype=np.bool_)
    shown = np.flatnonzero(~is_flat(second))
    if not len(first) or not len(shown):
        return found
    hashes, colours = difference_hash(second[torch.from_numpy(shown)]), _thumbnails(second[torch.from_numpy(shown)])
    for images in (first, first.flip(-1)) if mirrored else (first,):
        close = nearest(difference_hash(images), hashes)
        apart = (_thumbnails(images) - colours[torch.from_numpy(close.neighbour)]).abs().mean((1, 2, 3)).numpy()
        found |= (close.bits <= NEAR) & (apart < _ALIKE) & ~is_flat(images)
    return found


def object_pictures(images: Tensor, masks: Tensor) -> Tensor:
    """Each object alone on grey, filling the picture, (B, 3, 32, 32): what is compared to find the same object twice.

    Args:
        images: bg_fg, (B, 3, H, W) in [0, 1].
        masks: (B, 1, H, W); a picture without an object becomes all grey.
    """
    alone = images * masks + _GREY * (1 - masks)
    shown = torch.full((len(images), 3, _OBJECT_SIDE, _OBJECT_SIDE), _GREY)
    for i, inside in enumerate(masks[:, 0].cpu() > _MARGIN):
        rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        box = alone[i : i + 1, :, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
        shown[i] = functional.interpolate(
            box.cpu().float(), (_OBJECT_SIDE, _OBJECT_SIDE), mode="bilinear", antialias=True
        )[0]
    return shown


def _thumbnails(images: Tensor) -> Tensor:
    """Thumbnails of equal mean brightness, (B, C, 8, 8): exposure is no difference."""
    small = functional.interpolate(images.cpu().float(), (_ROWS, _ROWS), mode="bilinear", antialias=True)
    return small - small.mean((1, 2, 3), keepdim=True)


def _grey(images: Tensor) -> Tensor:
    """(B, 1, H, W) float32."""
    values = images.float()
    if values.shape[1] == 1:
        return values
    return (values * torch.tensor(_LUMA, device=values.device)[None, :, None, None]).sum(1, keepdim=True)
