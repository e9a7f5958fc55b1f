"""Scenes whose masks and depths have given statistics, such as those that the published systems report."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from scipy.stats import beta
from torch import Tensor
from torch.nn import functional

from bench.data.source import Source
from bench.data.split import Part
from registry.contract import Quartet


class Scenes(Source):
    """Binary masks of a given mean, depth that follows a beta distribution of a given mean and deviation.

    Targets are finally divided and shifted as asked, as a faulty source would.
    """

    kind = "scenes"
    encoding = "a made-up one"
    seed = 0
    camera = "still"

    def __init__(
        self,
        mask: float = 0.05,
        depth: tuple[float, float] = (0.5, 0.27),
        mean: float = 0.0,
        std: float = 1.0,
        leaks: bool = False,
        holes: float = 0.0,
    ) -> None:
        self.mask, self.depth, self.mean, self.std, self.leaks, self.holes = mask, depth, mean, std, leaks, holes
        self.has_depth, self.device = True, torch.device("cpu")

    def describe(self) -> dict[str, Any]:
        return {"kind": self.kind, "camera": self.camera, "encoding": self.encoding}

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        apart = 0 if self.leaks else {"train": 0, "val": 10, "test": 20}[part]
        return apart + ids % 5, apart + ids % 7

    @staticmethod
    def wall(groups: Tensor, size: int) -> Tensor:
        """A pattern of each background's own, (B, 3, H, W) in [0, 1)."""
        numbers = [torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(int(g))) for g in groups]
        return functional.interpolate(torch.cat(numbers), (size, size), mode="nearest")

    def to(self, device: torch.device | str) -> Self:
        return self

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        pixels = size * size
        mean, std = self.depth
        spread = mean * (1 - mean) / std**2 - 1
        ranks = beta.ppf((np.arange(pixels) + 0.5) / pixels, mean * spread, (1 - mean) * spread)
        depth = torch.tensor(ranks, dtype=torch.float32).view(1, 1, size, size).repeat(len(ids), 1, 1, 1)
        mask = torch.zeros(len(ids), 1, pixels)
        first = pixels // 3
        mask[..., first : first + round(self.mask * pixels)] = 1
        mask = mask.view(-1, 1, size, size).mT
        bg = depth * 0.3 + 0.5 * self.wall(self.groups(part, ids)[0], size)
        bg_fg = torch.where(mask > 0, 0.6 + 0.4 * self.wall(100 + self.groups(part, ids)[1], size), bg)
        valid = torch.ones_like(mask)
        valid[..., : int(self.holes * size)] = 0
        return Quartet(bg, bg_fg, (mask - self.mean) / self.std, (depth - self.mean) / self.std, valid)
