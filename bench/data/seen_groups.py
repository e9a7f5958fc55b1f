"""Further samples of the backgrounds and objects of training: a second test set."""

from __future__ import annotations

import copy
from typing import Any, Self

import torch
from torch import Tensor

from bench.data.source import OwnPack, Source
from bench.data.split import Part
from registry.contract import Quartet


class SeenGroups(Source):
    """A source whose every part holds training samples from an id on: what a run trained on lies before it.

    Args:
        source: what a run is trained on.
        first: the first id that it does not train on.
    """

    def __init__(self, source: Source, first: int) -> None:
        self.source, self.first = source, first
        self.kind, self.encoding, self.has_depth = source.kind, source.encoding, source.has_depth
        self.has_mask, self.has_background = source.has_mask, source.has_background
        self.seed, self.camera, self.device = source.seed, source.camera, source.device
        self.empty_share, self.names_objects = source.empty_share, source.names_objects

    def count(self, part: Part) -> int | None:
        """Number of such samples; 0 if training takes all samples of its part."""
        total = self.source.count("train")
        return None if total is None else max(0, total - self.first)

    def own_pack(self, size: int) -> OwnPack:
        """As the source's."""
        return self.source.own_pack(size)

    def render(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """Training samples ``ids + first`` of the source, as its camera sees them."""
        return self.source.render("train", ids + self.first, size)

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """As `render`, with a perfect and still camera."""
        return self.source.scenes("train", ids + self.first, size)

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """As the source's of these samples."""
        return self.source.groups("train", ids + self.first)

    def describe(self) -> dict[str, Any]:
        """The source's description, and from which sample on."""
        return {**self.source.describe(), "seen_groups": self.first}

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        moved = copy.copy(self)
        moved.source, moved.device = self.source.to(device), torch.device(device)
        return moved
