"""Paired two-level bootstrap: seeds and image groups drawn with replacement, the same draws for both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float64]

RESAMPLES = 4000
"""Enough that the ends of a 95 % interval move by about 3 % of its width from one random seed to another."""


@dataclass(frozen=True)
class Scored:
    """One metric of one cell, image by image.

    A seed's figure is ``(sum(w * v**power) / sum(w)) ** (1 / power)`` over its images, as `bench.metrics.Metric` has
    it; the cell's figure is the mean over its seeds.

    Attributes:
        values: (seeds, images), NaN where an image has nothing to say.
        weights: (seeds, images), or None for equal weights.
        power: exponent of the mean.
    """

    values: Values
    weights: Values | None = None
    power: int = 1


@dataclass(frozen=True)
class Side:
    """One side's figures: as measured, (seeds,), and in each resample, (resamples,).

    Attributes:
        by_seed: each seed's figure over all images.
        drawn: seeds and groups drawn anew.
        fixed: groups drawn anew, every seed taken once: what the choice of test images alone does.
    """

    by_seed: Values
    drawn: Values
    fixed: Values


def paired_bootstrap(
    a: Scored, b: Scored, groups: npt.NDArray[np.int64], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Side, Side]:
    """Resample two cells that were scored with the same seeds on the same images.

    An image counts only where both sides have something to say. Seeds and groups are drawn independently, each as
    many as there are, so that all images of a group come and go together.

    Args:
        a, b: the two sides, (seeds, images) each, row by row the same seed, column by column the same image.
        groups: which group each image belongs to, (images,).
        resamples: how many.
        seed: of the draws; the same seed and shape give the same draws.

    Raises:
        ValueError: shapes that do not fit, values that are infinite, or no image that both sides scored.
    """
    if a.values.shape != b.values.shape or a.values.shape[1:] != groups.shape:
        raise ValueError(f"shapes {a.values.shape}, {b.values.shape} and groups {groups.shape} do not pair")
    if np.isinf(a.values).any() or np.isinf(b.values).any():
        raise ValueError("infinite values: a prediction held a NaN")
    there = ~(np.isnan(a.values) | np.isnan(b.values))
    if not there.any(axis=1).all():
        raise ValueError("a seed without an image that both sides scored")
    names, member = np.unique(groups, return_inverse=True)
    seeds, count = len(a.values), len(names)
    random = np.random.default_rng(seed)
    seed_draws = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
    group_draws = random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)
    one, other = (_side(scored, there, member, count, seed_draws, group_draws) for scored in (a, b))
    return one, other


def interval(draws: Values, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval that holds the middle ``level`` of the draws."""
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _side(
    scored: Scored,
    there: npt.NDArray[np.bool_],
    member: npt.NDArray[np.int64],
    count: int,
    seed_draws: Values,
    group_draws: Values,
) -> Side:
    weights = np.ones_like(scored.values) if scored.weights is None else scored.weights
    weights = np.where(there, weights, 0.0)
    powers = np.where(there, scored.values, 0.0) ** scored.power * weights
    # Sums by group first: a resample then costs a product of small matrices, however many images there are.
    sums, totals = (
        np.stack([np.bincount(member, row, minlength=count) for row in table]) for table in (powers, weights)
    )
    by_seed = (sums.sum(1) / totals.sum(1)) ** (1 / scored.power)
    with np.errstate(invalid="ignore"):  # a resample may hold no image that says anything
        resampled = ((sums @ group_draws.T) / (totals @ group_draws.T)) ** (1 / scored.power)
    return Side(by_seed, (seed_draws.T * resampled).sum(0), resampled.mean(0))
