"""`Bound`: when paired differences between two cells are settled, looked at after every seed.

A t-test that is looked at after every seed is wrong more often than it says. Under equality the t-statistics of the
first 2, 3, ... n normal differences have one joint distribution, whatever their spread; so the level at which every
look may be judged for all of them together to be wrong with the probability asked for is found by simulating it once.
That is Pocock's group-sequential test for a spread that is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

import numpy as np
from scipy import special

Verdict = Literal["worse", "equal", "open"]

_PATHS = 200_000
_SEED = 20_240_229


@dataclass(frozen=True)
class Bound:
    """Judges one cell against the leader.

    Attributes:
        first: seeds at the first look, at least 2.
        most: at the last look.
        error: probability at most that an equal or better cell is ever called worse, whenever one stops.
        margin: difference up to which two cells count as equal; 0 for never.
    """

    first: int
    most: int
    error: float
    margin: float = 0.0

    @cached_property
    def level(self) -> float:
        """One-sided level of each look."""
        return _level(self.first, self.most, round(self.error, 12))

    def verdict(self, differences: Sequence[float]) -> Verdict:
        """What is settled after so many seeds.

        Args:
            differences: leader's score less the cell's, the higher the better for the leader, by seed.
        """
        count = len(differences)
        if count < self.first:
            return "open"
        mean = math.fsum(differences) / count
        half = self.half_width(differences)
        if mean - half > 0:
            return "worse"
        if self.margin and abs(mean) + half <= self.margin:
            return "equal"
        return "open"

    def half_width(self, differences: Sequence[float]) -> float:
        """Half the width of the interval of the mean difference, which holds at all looks together."""
        count = len(differences)
        spread = float(np.std(np.asarray(differences), ddof=1))
        quantile = float(special.stdtrit(count - 1, 1 - self.level))
        return quantile * spread / math.sqrt(count)


@cache
def _level(first: int, most: int, error: float) -> float:
    """The level of each look at which the smallest p-value of all looks is below it with that probability at most.

    The simulation's own error is on the safe side: two standard errors.
    """
    if first >= most:
        return error
    smallest = _smallest_p(first, most)
    return float(np.quantile(smallest, max(error / 2, error - 2 * math.sqrt(error * (1 - error) / _PATHS))))


@cache
def _smallest_p(first: int, most: int) -> np.ndarray:
    """The smallest one-sided p-value over all looks at normal differences of mean 0, (paths,)."""
    values = np.random.default_rng(_SEED).normal(size=(_PATHS, most))
    counts = np.arange(1, most + 1)
    means = values.cumsum(axis=1) / counts
    squares = (values**2).cumsum(axis=1) - counts * means**2
    smallest = np.ones(_PATHS)
    for count in range(first, most + 1):
        spread = np.sqrt(np.maximum(squares[:, count - 1], 1e-300) / (count - 1))
        statistic = means[:, count - 1] / spread * math.sqrt(count)
        smallest = np.minimum(smallest, 1 - special.stdtr(count - 1, statistic))
    return smallest
