"""Further samples of the backgrounds and objects of training: a second test set."""

from __future__ import annotations

import copy
from typing import Any, Self

import torch
from torch import Tensor

from bench.data.source import OwnPack, Source
from bench.data.split import Part
from registry.contract import Quartet

_AT_ONCE, _MOST = 2**12, 2**20
"""Ids whose groups are asked for at once, and how many of an endless source are looked through."""


class SeenGroups(Source):
    """A source whose every part holds training samples that a run does not train on, of groups that it trains on.

    Samples whose background or object is not among those of the run's own samples are passed over.

    Args:
        source: what a run is trained on.
        first: the first id that it does not train on.
        most: so many samples at most.

    Attributes:
        passed_over: samples between those chosen, as training has not seen their background or object.
    """

    def __init__(self, source: Source, first: int, most: int) -> None:
        self.source, self.first = source, first
        self.kind, self.encoding, self.has_depth = source.kind, source.encoding, source.has_depth
        self.has_mask, self.has_background = source.has_mask, source.has_background
        self.seed, self.camera, self.device = source.seed, source.camera, source.device
        self.empty_share, self.names_objects = source.empty_share, source.names_objects
        self._ids, self.passed_over = _of_seen_groups(source, first, most)

    def count(self, part: Part) -> int:
        """Number of such samples; 0 if training takes all of its part, or none of the others is of its groups."""
        return len(self._ids)

    def own_pack(self, size: int) -> OwnPack:
        """As the source's."""
        return self.source.own_pack(size)

    def render(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """Those training samples of the source, as its camera sees them; ids beyond the last begin anew."""
        return self.source.render("train", self._chosen(ids), size)

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """As `render`, with a perfect and still camera."""
        return self.source.scenes("train", self._chosen(ids), size)

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """As the source's of these samples."""
        return self.source.groups("train", self._chosen(ids))

    def describe(self) -> dict[str, Any]:
        """The source's description, from which sample on, and that their groups were trained on."""
        return {**self.source.describe(), "seen_groups": self.first, "trained_on": True}

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        moved = copy.copy(self)
        moved.source, moved.device = self.source.to(device), torch.device(device)
        return moved

    def _chosen(self, ids: Tensor) -> Tensor:
        return self._ids.to(ids.device)[ids % len(self._ids)]


def _of_seen_groups(source: Source, first: int, most: int) -> tuple[Tensor, int]:
    """Ids from ``first`` on whose background and object both occur before it, and how many others lie between them."""
    known = [torch.unique(numbers.cpu()) for numbers in source.groups("train", torch.arange(first))]
    total = source.count("train")
    end = first + _MOST if total is None else total
    chosen: list[Tensor] = []
    found, looked_at = 0, 0
    for begin in range(first, end, _AT_ONCE):
        ids = torch.arange(begin, min(begin + _AT_ONCE, end))
        seen = torch.stack(
            [torch.isin(numbers.cpu(), of) for numbers, of in zip(source.groups("train", ids), known, strict=True)]
        ).all(0)
        some = ids[seen][: most - found]
        chosen.append(some)
        found += len(some)
        if found == most:
            return torch.cat(chosen), int(some[-1]) + 1 - first - found
        looked_at += len(ids)
    return torch.cat([*chosen, torch.arange(0)]), looked_at - found
