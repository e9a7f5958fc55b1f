"""`SliceScore` and `Gap`: what a cell reaches on a slice of the test images, and by how much two cells differ on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.results.stats.bounds import UNBOUNDED, Bounds, of_differences, within
from bench.results.stats.components import Components
from bench.results.stats.difference import Difference
from bench.results.stats.grouping import Grouping
from bench.results.stats.pairing import Pairing
from bench.results.stats.scored import Scored
from bench.results.stats.student import half_width


@dataclass(frozen=True)
class SliceScore:
    """A metric of a cell on a slice.

    Attributes:
        mean: over seeds.
        low, high: 95 % interval over seeds, backgrounds and objects; of a single seed over these alone. All that is
            possible where nothing at hand could vary.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(
        cls, scored: Scored, grouping: Grouping, images: npt.NDArray[np.bool_], bounds: Bounds = UNBOUNDED
    ) -> SliceScore | None:
        """Of some of the images; None where a seed has no value on any of them, or infinite values.

        Args:
            scored: (seeds, images).
            grouping: of all images.
            images: those that count, (images,).
            bounds: of the metric, to which the interval is cut.
        """
        used = images & scored.defined.any(axis=0)
        part = scored.only(used)
        if not used.any() or not part.defined.any(axis=1).all() or np.isinf(part.values).any():
            return None
        components = Components.of(part.contributions(part.defined), grouping.take(used))
        half = _half(math.sqrt(float(components.variance)), float(components.freedom))
        mean = float(components.mean)
        return cls(mean, *within(bounds, mean, mean - half, mean + half))


@dataclass(frozen=True)
class Gap:
    """A less B on a slice.

    Attributes:
        effect: the mean difference.
        low, high: 95 % interval, not corrected for the number of slices.
        p: of no difference; None where a single seed, background or object leaves it open.
        corrected: the same for all slices and metrics that were looked at together, by Holm; set by `correct`.
    """

    effect: float
    low: float
    high: float
    p: float | None
    corrected: float | None = None

    @classmethod
    def of(
        cls,
        a: Scored,
        b: Scored,
        grouping: Grouping,
        pairing: Pairing,
        images: npt.NDArray[np.bool_],
        bounds: Bounds = UNBOUNDED,
    ) -> Gap | None:
        """On some of the images; None where the two cannot be compared on them.

        Args:
            a, b: (seeds, images), a row a seed of the pairing.
            grouping: of all images.
            pairing: how the rows stand to each other.
            images: those that count, (images,).
            bounds: of the metric; the interval is cut to those of its differences.
        """
        if not images.any():
            return None
        try:
            difference = Difference.of(a.only(images), b.only(images), grouping.take(images), pairing)
        except ValueError:
            return None
        effect = difference.effect
        low, high = within(of_differences(bounds), effect, *difference.interval())
        return cls(effect, low, high, difference.p if difference.settles else None)

    @property
    def real(self) -> bool:
        """Whether it is more than luck, however many slices were looked at."""
        return self.corrected is not None and self.corrected <= 0.05


Key = tuple[int, str]


def correct(values: Mapping[Key, float]) -> dict[Key, float]:
    """Corrected p values, of hypotheses that are tested together.

    Source: Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    corrected, largest = {}, 0.0
    for step, key in enumerate(sorted(values, key=values.__getitem__)):
        largest = max(largest, min(1.0, values[key] * (len(values) - step)))
        corrected[key] = largest
    return corrected


def _half(error: float, freedom: float) -> float:
    return float(half_width(error, freedom)) if freedom > 0 else math.inf
