"""The interquartile mean over seeds, which one lucky or unlucky seed does not move, and its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench.results.stats.bounds import UNBOUNDED, Bounds, within
from bench.results.stats.student import Values, half_width

LEAST_SEEDS = 5
"""With fewer nothing can be cut off on both sides that would leave a spread to judge by."""


@dataclass(frozen=True)
class InterquartileMean:
    """The mean of the middle half of the seeds.

    Attributes:
        mean: it.
        low, high: 95 % interval over seeds, on the same test images.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Values, bounds: Bounds = UNBOUNDED) -> InterquartileMean | None:
        """Cut off a quarter of the seeds at either end, rounded down; None below `LEAST_SEEDS`.

        The standard error is that of the winsorised figures, with the remaining seeds less 1 degrees of freedom.

        Args:
            figures: of each seed, (seeds,).
            bounds: of the metric, to which the interval is cut.

        Source: Yuen, The two-sample trimmed t for unequal population variances, 1974.
        """
        seeds = len(figures)
        if seeds < LEAST_SEEDS:
            return None
        cut = seeds // 4
        ordered = np.sort(figures)
        kept = ordered[cut : seeds - cut]
        winsorised = np.clip(ordered, kept[0], kept[-1])
        error = float(winsorised.std(ddof=1)) * math.sqrt((seeds - 1) / len(kept) / (len(kept) - 1))
        half = float(half_width(error, len(kept) - 1))
        mean = float(kept.mean())
        return cls(mean, *within(bounds, mean, mean - half, mean + half))
