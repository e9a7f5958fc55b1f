"""Copies between the parts of a split: pictures that show what training shows, by their pixels alone.

Inspection and audit both ask here, so that neither finds what the other does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from bench.data.images.similarity import NEAR, difference_hash, distances
from bench.data.split import Part
from registry.contract import Quartet

Groups = tuple[Tensor, Tensor]
"""Numbers of background and object of some quartets, (B,) each."""

_ALIKE = 0.04
"""Mean difference of two thumbnails of the same picture.

Of the same cut-out, pasted at two scales, it is .02 to .05; of others whose hashes are near, above .065 in photographs
and mostly in rendered figures too.
"""
_PHOTOGRAPH, _OBJECT = 8, 32
"""Sides of the thumbnails, pixels: frames of a video move by more than an object does on its own."""
_GREY, _INSIDE = 0.5, 0.5
_LEAST = 8
"""Longer side, pixels, of an object that can be told from others."""
_DETAIL = 0.04
"""Standard deviation about a smooth surface, of its brightness, of a picture that shows more than a backdrop."""
_AT_ONCE = 2**22


class Copies(NamedTuple):
    """Which pictures have a copy among others.

    Attributes:
        of: number of the first known picture that each is a copy of, (N,) int64; -1 where it is none.
        bits: least distance of any two hashes, 64 where there are none to compare.
    """

    of: npt.NDArray[np.int64]
    bits: int

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """Which are copies, (N,)."""
        found: npt.NDArray[np.bool_] = self.of >= 0
        return found


class Copied(NamedTuple):
    """How far a part shows backgrounds, or objects, that training shows.

    Attributes:
        what: ``background`` or ``object``.
        part: not ``train``.
        copies: of each background or object with a copy in training the number of its first such quartet, and of the
            quartet of training.
        of: how many different ones the part has that training has not; of the others the split says itself that they
            are shared.
        shared: share of the part's different ones that training has.
        known: how many different ones training has.
        bits: as in `Copies`.
    """

    what: str
    part: Part
    copies: list[tuple[int, int]]
    of: int
    shared: float
    known: int
    bits: int


def copies_in_training(
    quartets: Mapping[Part, Quartet], groups: Mapping[Part, Groups] | None = None, names_objects: bool = True
) -> Iterator[Copied]:
    """Copies of training's backgrounds in every other part, then of its objects where the data has masks.

    Args:
        quartets: by part; of data without backgrounds the photographs themselves count as such.
        groups: by part, what quartets show the same background or object; without them every quartet shows its own.
        names_objects: whether objects have groups of their own; else every quartet shows its own.
    """
    for which, what in enumerate(("background", "object")):
        pictures = {part: _pictures(quartet, what) for part, quartet in quartets.items()}
        train = pictures.pop("train", None)
        if train is None:
            continue
        for part, mine in pictures.items():
            if mine is None:
                continue
            numbers, known = (
                (torch.arange(len(mine)), -1 - torch.arange(len(train)))
                if groups is None
                else (groups[part][which], groups["train"][which])
            )
            own = (~torch.isin(numbers, known)).nonzero()[:, 0]
            if what == "object" and not names_objects:
                numbers, known = torch.arange(len(mine)), torch.arange(len(train))
            copies = find_copies(mine[own], train, _OBJECT if what == "object" else _PHOTOGRAPH)
            first: dict[int, tuple[int, int]] = {}
            for place, copy_of in zip(own.tolist(), copies.of.tolist(), strict=True):
                if copy_of >= 0:
                    first.setdefault(int(numbers[place]), (place, copy_of))
            different, of, train_has = (len(set(some.tolist())) for some in (numbers, numbers[own], known))
            share = (different - of) / max(1, different)
            yield Copied(what, part, list(first.values()), of, share, train_has, copies.bits)


def pairs_of_files(copied: Copied, names: Mapping[Part, Mapping[str, Sequence[str]]], most: int = 3) -> str:
    """The files of the copies and what they are copies of, the first few: ``: 7.jpg like 3.jpg``; empty without files.

    Args:
        copied: what was found.
        names: of every part, what `Source.file_names` says of the quartets looked at.
        most: pairs at most.
    """
    mine, theirs = (names.get(part, {}).get(copied.what) for part in (copied.part, "train"))
    if not copied.copies or not mine or not theirs:
        return ""
    shown = [f"{mine[place]} like {theirs[of]}" for place, of in copied.copies[:most]]
    more = f" and {len(copied.copies) - most} more" if len(copied.copies) > most else ""
    return f": {', '.join(shown)}{more}"


def find_copies(held: Tensor, known: Tensor, side: int = _PHOTOGRAPH) -> Copies:
    """Which pictures have a copy among the known ones, as they are or mirrored: near by hash, and alike in colour.

    Nearly uniform pictures, and smooth backdrops, have none. Exposure is no difference: thumbnails are compared at
    equal mean brightness.

    Args:
        held, known: (N, C, H, W) and (M, C, H, W) in [0, 1].
        side: of the thumbnails, pixels.
    """
    none, least = len(known), 64
    first = np.full(len(held), none)
    mine, theirs = (torch.from_numpy(np.flatnonzero(has_detail(pictures))) for pictures in (held, known))
    if not len(mine) or not len(theirs):
        return Copies(np.full(len(first), -1), least)
    held, known = held[mine], known[theirs]
    hashes, colours = difference_hash(known), _thumbnails(known, side)
    step = max(1, _AT_ONCE // len(known))
    for start in range(0, len(held), step):
        some = held[start : start + step]
        for turned in (some, some.flip(-1)):
            bits = distances(difference_hash(turned), hashes)
            least = min(least, int(bits.min()))
            pairs = torch.from_numpy(np.argwhere(bits <= NEAR))
            own = _thumbnails(turned, side)
            for chunk in torch.split(pairs, _AT_ONCE // side**2):
                gaps = (own[chunk[:, 0]] - colours[chunk[:, 1]]).abs().mean((1, 2, 3))
                alike = chunk[gaps < _ALIKE]
                np.minimum.at(first, mine[start + alike[:, 0]].numpy(), theirs[alike[:, 1]].numpy())
    return Copies(np.where(first < none, first, -1), least)


def has_detail(images: Tensor) -> npt.NDArray[np.bool_]:
    """Which pictures (B, C, H, W) show more than a light that falls off smoothly, (B,).

    Two backdrops look alike whatever they are of: all of a gradient's hash is its direction.
    """
    if not len(images):
        return np.zeros(0, dtype=np.bool_)
    grey = functional.interpolate(images.cpu().float().mean(1, keepdim=True), (16, 16), mode="bilinear", antialias=True)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
    surface = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y]).flatten(1).T
    values = grey.flatten(1).T
    rest = values - surface @ torch.linalg.lstsq(surface, values).solution
    detailed: npt.NDArray[np.bool_] = (rest.std(0) > _DETAIL * values.mean(0)).numpy()
    return detailed


def object_pictures(images: Tensor, masks: Tensor) -> Tensor:
    """Each object alone on grey, filling the picture, (B, 3, 32, 32): what is compared to find the same object twice.

    Args:
        images: bg_fg, (B, 3, H, W) in [0, 1].
        masks: (B, 1, H, W); a picture without an object, or whose object is too small to be told, becomes all grey.
    """
    alone = images * masks + _GREY * (1 - masks)
    shown = torch.full((len(images), 3, _OBJECT, _OBJECT), _GREY)
    for i, inside in enumerate(masks[:, 0].cpu() > _INSIDE):
        rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
        if len(rows) == 0 or max(int(rows[-1] - rows[0]), int(columns[-1] - columns[0])) + 1 < _LEAST:
            continue
        box = alone[i : i + 1, :, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
        shown[i] = functional.interpolate(box.cpu().float(), (_OBJECT, _OBJECT), mode="bilinear", antialias=True)[0]
    return shown


def _pictures(quartet: Quartet, what: str) -> Tensor | None:
    """What shows the backgrounds, or the objects, of a part; None for data without masks."""
    if what == "background":
        return _scenes(quartet) if quartet.bg is None else quartet.bg
    return None if quartet.mask is None else object_pictures(quartet.bg_fg, quartet.mask)


def _scenes(quartet: Quartet) -> Tensor:
    """Photographs (B, 3, H, W) without their object, where its place is known: its pixels have the mean of the rest."""
    if quartet.mask is None:
        return quartet.bg_fg
    rest = (quartet.mask <= _INSIDE).float()
    mean = (quartet.bg_fg * rest).sum((2, 3), keepdim=True) / rest.sum((2, 3), keepdim=True).clamp(min=1)
    return torch.where(rest > 0, quartet.bg_fg, mean)


def _thumbnails(images: Tensor, side: int) -> Tensor:
    """Thumbnails of equal mean brightness, (B, C, side, side)."""
    small = functional.interpolate(images.cpu().float(), (side, side), mode="bilinear", antialias=True)
    return small - small.mean((1, 2, 3), keepdim=True)
