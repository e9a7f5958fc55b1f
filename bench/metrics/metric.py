"""`Metric`: what is known about one metric, as data."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from bench.metrics.view import View

    PerImage = Callable[[View], Tensor]


@dataclass(frozen=True)
class Metric:
    """A metric's name and facts; its function is found by name when it is first used.

    A metric's function takes a `View` of one batch and gives one value per image, (B,), float32, NaN where the
    image has nothing to say. Summed up over N images with values v and weights w (1 without ``weight``) the
    metric reads ``(sum(w * v**power) / sum(w)) ** (1 / power)``, over the images that have something to say.

    Attributes:
        name: the metric's key and the name of its function.
        module: the module of `bench.metrics` that holds the function.
        head: what it judges: "mask", "depth" or "joint".
        needs: what a batch must offer (`View.offers`); without it the metric is NaN for every image.
        higher_is_better: its direction.
        perfect: the value of a perfect prediction.
        bounds: the smallest and the largest value there can be.
        unit: "" for fractions and ratios, "range" for fractions of the depth encoding's range, "%".
        summary: one line for tables.
        weight: the function of the same module that gives each image's weight, (B,); None for equal weights.
        power: exponent of the mean.
    """

    name: str
    module: str
    head: str
    needs: tuple[str, ...]
    higher_is_better: bool
    perfect: float
    bounds: tuple[float, float]
    unit: str
    summary: str
    weight: str | None = None
    power: int = 1

    def load(self, function: str | None = None) -> PerImage:
        """The metric's function, or another one of its module such as its ``weight``; imports torch."""
        found: PerImage = getattr(importlib.import_module(f"bench.metrics.{self.module}"), function or self.name)
        return found

    def better(self, score: float, other: float) -> bool:
        """Whether ``score`` is better than ``other`` in this metric's direction; False for NaN."""
        return score > other if self.higher_is_better else score < other
