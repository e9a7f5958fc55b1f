"""`Limit`: what a candidate must reach, or must not exceed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.core.errors import BenchError
from bench.core.record.metric_facts import MetricFacts
from bench.results.metric_facts import find_key
from bench.results.stats.student import Values

LATENCY, MEMORY, PARAMETERS = "latency", "memory", "parameters"
"""Costs by name: milliseconds, MiB, and a count."""


@dataclass(frozen=True)
class Limit:
    """A bound on a figure.

    Attributes:
        name: the metric's key, or a cost.
        bound: in the figure's unit.
        upper: whether figures must lie at or below it, instead of at or above.
        option: as it was written on the command line, for messages.
    """

    name: str
    bound: float
    upper: bool
    option: str

    def met(self, values: Values) -> npt.NDArray[np.bool_]:
        """Whether figures meet it, of their shape; what is not known (NaN) does not."""
        return np.asarray(values <= self.bound if self.upper else values >= self.bound)

    def shortfall(self, value: float) -> float:
        """By how much a figure misses it, as a share of the bound; 0 where it meets it, infinite if it is not known."""
        if math.isnan(value):
            return math.inf
        miss = value - self.bound if self.upper else self.bound - value
        return max(0.0, miss) / (abs(self.bound) or 1.0)


def metric_limits(texts: Sequence[str], upper: bool, known: Mapping[str, MetricFacts]) -> list[Limit]:
    """The limits of ``--min`` or ``--max``, each ``metric=number``.

    Args:
        texts: what was written.
        upper: whether it was ``--max``.
        known: facts of the metrics that records hold.

    Raises:
        UnknownName: no record holds the metric.
        BenchError: no metric and number, or a bound on the side on which the metric is good.
    """
    option, limits = "--max" if upper else "--min", []
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            bound = float(number)
        except ValueError:
            bound = math.nan
        if not equals or not name.strip() or not math.isfinite(bound):
            raise BenchError(f"{option} takes metric=number, such as mask_dice=0.9, not {text!r}")
        key = find_key(name.strip(), known)
        if known[key].higher_is_better == upper:
            better, right = ("higher", "--min") if upper else ("lower", "--max")
            raise BenchError(f"{option} {text}: of {key} {better} is better; write {right} {text}")
        limits.append(Limit(key, bound, upper, f"{option} {text}"))
    return limits
