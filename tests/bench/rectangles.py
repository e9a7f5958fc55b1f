"""The smallest source there can be: a bright rectangle nearby before a grey wall. For tests of what uses sources."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor

from bench.data.counter_random import uniform
from bench.data.source import Source
from bench.data.split import Part
from registry.contract import Quartet


class Rectangles(Source):
    kind = "rectangles"
    encoding = "metric, 1.0 = 10 m"
    seed = 0
    camera = "still"

    def __init__(self, has_depth: bool = True, broken: tuple[Part, int] | None = None) -> None:
        self.has_depth, self.broken, self.device = has_depth, broken, torch.device("cpu")

    def describe(self) -> dict[str, Any]:
        return {"kind": self.kind, "camera": self.camera, "encoding": self.encoding, "depth": self.has_depth}

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        return ids % 3, ids % 5

    def to(self, device: torch.device | str) -> Self:
        self.device = torch.device(device)
        return self

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        ids = ids.to(self.device)
        draws = uniform(self.seed, self.stream(part), ids, 6)[:, :, None, None, None]
        at = torch.arange(size, device=self.device) / size
        inside_x = (at - draws[:, 0] * 0.6).abs() < 0.2
        inside_y = (at - draws[:, 1] * 0.6).abs() < 0.2
        mask = (inside_x[..., None, :] & inside_y[..., :, None]).float()[:, 0]
        bg = (0.2 + 0.2 * draws[:, 2:5, 0]).expand(-1, -1, size, size)
        bg_fg = torch.where(mask > 0, 0.9, bg)
        if not self.has_depth:
            return Quartet(bg, bg_fg, mask)
        depth = torch.where(mask > 0, 0.2, 0.7)
        if self.broken is not None and self.broken[0] == part:
            depth = torch.where((ids == self.broken[1])[:, None, None, None], torch.nan, depth)
        return Quartet(bg, bg_fg, mask, depth, torch.ones_like(mask))
