"""Medians and their intervals, by bootstrap over rounds of windows that were measured in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from bench.results.stats.bounds import UNBOUNDED, Bounds, within
from bench.results.stats.student import half_width

_RESAMPLES = 1000
_COVERAGE = 0.95
TIMES: Bounds = (0.0, None)
"""No time is below 0."""

Array = npt.NDArray[np.float64]


class Interval(BaseModel):
    """An estimate with the bounds that hold it 95 times in 100."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float

    def overlaps(self, other: Interval) -> bool:
        """Whether some value lies in both."""
        return self.low <= other.high and other.low <= self.high


def median_interval(rounds: Sequence[Sequence[float]]) -> Interval:
    """Median of all values, its interval by resampling whole rounds: neighbours in time are not independent.

    Args:
        rounds: the values of each round; at least one in all.
    """
    return _interval(rounds, lambda values: float(np.median(values)))


def ratio_interval(above: Sequence[float], below: Sequence[float]) -> Interval:
    """Typical ratio of paired positive values: the median of the ratios' logarithms, a pair a round."""
    logs = np.log(np.asarray(above)) - np.log(np.asarray(below))
    found = _interval([[x] for x in logs], lambda values: float(np.median(values)))
    return Interval(value=np.exp(found.value), low=np.exp(found.low), high=np.exp(found.high))


def grouped_interval(restarts: Sequence[Sequence[float]], bounds: Bounds = UNBOUNDED) -> Interval:
    """Median of all values, its interval by how far the medians of the restarts lie apart (Student's t).

    Args:
        restarts: the values of each, at least one; of a single restart nothing is known, and the interval is its
            values' range.
        bounds: of the values, to which the interval is cut; `TIMES` of times.
    """
    medians = [float(np.median(values)) for values in restarts]
    value = float(np.median(np.concatenate([np.asarray(values, dtype=np.float64) for values in restarts])))
    if len(medians) == 1:
        return Interval(value=value, low=min(restarts[0]), high=max(restarts[0]))
    half = float(half_width(np.std(medians, ddof=1) / len(medians) ** 0.5, len(medians) - 1, _COVERAGE))
    middle = float(np.mean(medians))
    low, high = within(bounds, value, min(value, middle - half), max(value, middle + half))
    return Interval(value=value, low=low, high=high)


def _interval(rounds: Sequence[Sequence[float]], statistic: Callable[[Array], float]) -> Interval:
    chunks = [np.asarray(values, dtype=np.float64) for values in rounds]
    draw = np.random.default_rng(0)
    picks = draw.integers(len(chunks), size=(_RESAMPLES, len(chunks)))
    resampled = [statistic(np.concatenate([chunks[i] for i in row])) for row in picks]
    low, high = np.quantile(resampled, [(1 - _COVERAGE) / 2, (1 + _COVERAGE) / 2])
    return Interval(value=statistic(np.concatenate(chunks)), low=float(low), high=float(high))
