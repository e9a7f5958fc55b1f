"""A source of your own: quartets by number. Here discs that float before a gradient; yours would read files.

bench check my_source:Discs
bench run --data my_source:Discs --model unet --loss bce_ssim
"""

from typing import Any, Self

import torch
from torch import Tensor

from bench.data.counter_random import uniform
from bench.data.source import Source
from bench.data.split import Part
from registry.contract import Quartet

_FIRST = {"train": 0, "val": 1000, "test": 2000}
_GROUPS = 20


class Discs(Source):
    """Sample ``id`` of a part is a pure function of seed, part and id, whatever else is rendered."""

    kind = "discs"
    encoding = "metric, 1.0 = 2 m"
    has_depth = True
    camera = "still"

    def __init__(self, seed: int = 0) -> None:
        self.seed, self.device = seed, torch.device("cpu")

    def describe(self) -> dict[str, Any]:
        """What decides the samples, as JSON: it is recorded with every result."""
        return {"kind": self.kind, "camera": self.camera, "encoding": self.encoding, "seed": self.seed, "leaks": False}

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Background and object of each sample: no number stands in two parts."""
        return _FIRST[part] + ids % _GROUPS, _FIRST[part] + ids // 7 % _GROUPS

    def to(self, device: torch.device | str) -> Self:
        """The same source on another device."""
        moved = type(self)(self.seed)
        moved.device = torch.device(device)
        return moved

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """Discs before a wall, each in the colours and the pattern of its group."""
        background, item = self.groups(part, ids)
        wall = uniform(self.seed, "wall", background, 9)[:, :, None, None]
        disc = uniform(self.seed, "disc", item, 9)[:, :, None, None]
        place = uniform(self.seed, self.stream(part), ids, 3)[:, :, None, None, None]
        at = (torch.arange(size, device=self.device) + 0.5) / size
        rows, columns = torch.meshgrid(at, at, indexing="ij")
        radius = 0.1 + 0.15 * place[:, 2]
        inside = (columns - place[:, 0]) ** 2 + (rows - place[:, 1]) ** 2 < radius**2
        mask = inside.float()
        bg = _striped(wall, rows, columns)
        depth = torch.where(inside, 0.3, (0.9 - 0.3 * rows).expand_as(mask))
        return Quartet(bg, torch.where(inside, _striped(disc, rows, columns), bg), mask, depth, torch.ones_like(mask))


def _striped(style: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) in [0, 1] from nine numbers each, (B, 9, 1, 1): a colour, and two waves across it."""
    waves = torch.zeros_like(rows)
    for right, down, phase in (style[:, 3:6].split(1, 1), style[:, 6:].split(1, 1)):
        waves = waves + torch.sin(30 * ((right - 0.5) * columns + (down - 0.5) * rows) + 6 * phase)
    return (0.3 + 0.5 * style[:, :3]) * (0.7 + 0.15 * waves)
