"""From values per image to a figure, and from a figure to its skill. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bench.core.record.metric_facts import MetricFacts

_ROUNDING = 1e-6
"""What a mean of float32 figures may lie beside perfection."""

Columns: TypeAlias = dict[str, npt.NDArray[np.float32]]
"""Per-image values by metric, (images,) each, and the weights that some metrics need by their own name."""


@dataclass(frozen=True)
class Summary:
    """One metric over a set of images.

    Attributes:
        value: the figure; None if it is undefined for all images; infinite where a prediction held a NaN.
        images: how many images it rests on.
    """

    value: float | None
    images: int


def summarise(columns: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, MetricFacts]) -> dict[str, Summary]:
    """Each metric's figure as `MetricFacts` defines it: a mean over the images where it is defined.

    Args:
        columns: per-image values by metric, NaN where a metric is undefined, and the weights they need;
            what is no metric's key is passed over.
        facts: of the metrics, by key.
    """
    return {key: summarise_column(key, facts[key], columns) for key in columns if key in facts}


def summarise_column(key: str, facts: MetricFacts, columns: Mapping[str, npt.NDArray[Any]]) -> Summary:
    """One metric's figure from its own column and that of its weight."""
    values = np.asarray(columns[key], dtype=np.float64)
    weights = np.ones_like(values) if facts.weight is None else np.asarray(columns[facts.weight], dtype=np.float64)
    counts = ~np.isnan(values) & (weights > 0)
    if not counts.any():
        return Summary(None, 0)
    mean = np.average(values[counts] ** facts.power, weights=weights[counts])
    return Summary(float(mean ** (1 / facts.power)), int(counts.sum()))


def skill(score: float | None, baselines: Iterable[float | None], facts: MetricFacts) -> float | None:
    """How far a score goes from the best baseline to perfection: 0 is the baseline, 1 is perfect.

    ``(score - best) / (perfect - best)`` with the best of the baselines in the metric's direction; negative for
    a score that is worse than the baseline.

    Args:
        score: the metric's figure for a model.
        baselines: its figures for the baselines that learn nothing; None and what is not finite does not count.
        facts: of the metric.

    Returns:
        The skill, or None without a score or a baseline, or where the best baseline is perfect (to a rounding).
    """
    finite = [b for b in baselines if b is not None and math.isfinite(b)]
    if score is None or math.isnan(score) or not finite:
        return None
    best = max(finite) if facts.higher_is_better else min(finite)
    return (score - best) / (facts.perfect - best) if abs(best - facts.perfect) > _ROUNDING else None
