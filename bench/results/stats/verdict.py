"""From two resampled sides to one answer: better, worse, equal, or cannot separate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.results.stats.bootstrap import Side, interval
from bench.results.stats.seeds import MANY_SEEDS, least_p, more_seeds

Verdict = Literal["better", "worse", "equal", "cannot separate"]


@dataclass(frozen=True)
class Finding:
    """How A stands to B on one metric.

    Attributes:
        a, b: their figures, means over seeds.
        effect: ``a - b``, or that over ``|b|``, with its 95 % interval ``low`` to ``high`` over seeds and image groups.
        seed_low, seed_high: the smallest and the largest effect that one seed shows, over all images.
        seeds: seeds in common.
        margin: an interval within plus or minus this is ``equal``.
        verdict: on A.
        more_seeds: how many further seeds would probably settle it: 0 if it is settled, None if no number would or
            one seed says nothing about others.
    """

    a: float
    b: float
    effect: float
    low: float
    high: float
    seed_low: float
    seed_high: float
    seeds: int
    margin: float
    verdict: Verdict
    more_seeds: int | None

    @property
    def least_p(self) -> float:
        """The smallest p that a paired sign-flip test over these seeds can reach."""
        return least_p(self.seeds)

    @property
    def for_these_seeds_only(self) -> bool:
        """Whether there are too few seeds for the verdict to speak for others."""
        return self.seeds < MANY_SEEDS


def judge(a: Side, b: Side, higher_is_better: bool, margin: float, relative: bool = False) -> Finding:
    """The finding on two sides of one bootstrap.

    An interval inside the margin is ``equal`` even where it excludes 0: such a difference is real and of no account.

    Args:
        a, b: from one call of `paired_bootstrap`.
        higher_is_better: direction of the effect.
        margin: in the effect's units, at least 0.
        relative: whether the effect is a share of B's figure as measured; that itself is not resampled.

    Raises:
        ValueError: a share of 0 is asked for.
    """
    unit = abs(float(b.by_seed.mean())) if relative else 1.0
    if unit == 0:
        raise ValueError("B's figure is 0, of which nothing is a share")
    low, high = interval((a.drawn - b.drawn) / unit)
    by_seed = (a.by_seed - b.by_seed) / unit
    verdict = _verdict(low, high, higher_is_better, margin)
    fixed_sd = float(np.nanstd(a.fixed - b.fixed)) / unit
    return Finding(
        a=float(a.by_seed.mean()),
        b=float(b.by_seed.mean()),
        effect=float(by_seed.mean()),
        low=low,
        high=high,
        seed_low=float(by_seed.min()),
        seed_high=float(by_seed.max()),
        seeds=len(by_seed),
        margin=margin,
        verdict=verdict,
        more_seeds=0 if verdict != "cannot separate" else more_seeds(by_seed, fixed_sd, margin),
    )


def _verdict(low: float, high: float, higher_is_better: bool, margin: float) -> Verdict:
    if -margin <= low and high <= margin:
        return "equal"
    if low > 0 or high < 0:
        return "better" if (low > 0) == higher_is_better else "worse"
    return "cannot separate"
