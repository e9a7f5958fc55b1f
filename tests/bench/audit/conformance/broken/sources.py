"""Sources that break one rule each, as people write them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bench.data.split import Part
from examples.my_source import Discs
from registry.contract import Quartet


class NotASource:
    def render(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return Discs().render(part, ids, size)


class NoEncoding(Discs):
    encoding = None  # type: ignore[assignment]


class NoRange(Discs):
    encoding = "metric"


class NotDivided(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes(part, ids, size).map(lambda tensor: tensor * 255)


class Double(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes(part, ids, size).map(Tensor.double)


class NoDepthAfterAll(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        return Quartet(quartet.bg, quartet.bg_fg, quartet.mask)


class Fixed(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes(part, ids, 32)


class Chance(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        quartet.bg_fg = (quartet.bg_fg * (0.9 + 0.1 * torch.rand(len(ids), 1, 1, 1))).clamp(0, 1)
        return quartet


class Narrow(Discs):
    """Sample numbers pass through 32 bits, as a hash written for NumPy would."""

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        quartet.bg = (quartet.bg * (1 - 0.1 * (ids.min() == ids).float().view(-1, 1, 1, 1))).clamp(0, 1)
        return quartet


class Same(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes(part, torch.zeros_like(ids), size)


class AllParts(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes("train", ids, size)


class Empty(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        assert quartet.mask is not None
        quartet.mask = quartet.mask * 0.3
        return quartet


class FloatGroups(Discs):
    def groups(self, part: Part, ids: Tensor) -> Any:
        return tuple(numbers.double() for numbers in super().groups(part, ids))


class OneGroup(Discs):
    def groups(self, part: Part, ids: Tensor) -> Any:
        return super().groups(part, ids)[:1]


class Leaks(Discs):
    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        return ids % 20, super().groups(part, ids)[1]


class NotJson(Discs):
    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "device": self.device}


class SaysLittle(Discs):
    def describe(self) -> dict[str, Any]:
        return {"kind": self.kind}


class Stays(Discs):
    def to(self, device: torch.device | str) -> Any:
        moved = super().to(device)
        moved.device = torch.device("meta")
        return moved


class TakesAnything(Discs):
    def render(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return self.scenes(part if part in ("train", "val", "test") else "train", ids, size)

    def stream(self, part: Part) -> str:
        return f"discs/{part}"


SOURCES: list[tuple[type, str, str]] = [
    (NotASource, "facts", "which is no bench.data.source.Source"),
    (NoEncoding, "facts", "no encoding"),
    (NoRange, "facts", "its depth encoding is 'metric'"),
    (NotDivided, "quartets", "outside"),
    (Double, "quartets", "float64"),
    (NoDepthAfterAll, "quartets", "has_depth is not true"),
    (Fixed, "quartets", "at 16 px"),
    (Chance, "pure", "bg_fg depends on the order of the batch, or on chance"),
    (Narrow, "pure", "alone differs from it in a batch"),
    (Same, "distinct", "the same picture"),
    (AllParts, "distinct", "are the training samples"),
    (Empty, "masks", "masks are empty"),
    (FloatGroups, "groups", "not int64"),
    (OneGroup, "groups", "not two"),
    (Leaks, "disjoint", "train and val share 20 background groups"),
    (NotJson, "description", "is not JSON"),
    (SaysLittle, "description", "camera, encoding"),
    (Stays, "device", "its device is meta"),
    (TakesAnything, "refusals", "size of 63"),
]
