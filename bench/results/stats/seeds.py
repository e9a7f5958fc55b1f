"""What few seeds can and cannot show, and how many more would settle a question."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from bench.results.stats.bootstrap import Values

MANY_SEEDS = 5
"""From so many seeds on a verdict speaks for the cell; with fewer only for the seeds that were run.

The percentile interval is too narrow for few seeds: with 3 it covers the truth in about 75 % of cases instead of 95 %.
"""


def least_p(seeds: int) -> float:
    """The smallest two-sided p a paired sign-flip test over so many seeds can reach, ``2 / 2**seeds``.

    >>> [least_p(n) for n in (1, 3, 5, 6)]
    [1.0, 0.25, 0.0625, 0.03125]
    """
    return min(1.0, 2.0 ** (1 - seeds))


def more_seeds(effects: Values, image_sd: float, margin: float, level: float = 0.95, limit: int = 1000) -> int | None:
    """How many seeds beyond those at hand would probably settle the question, if what they show so far is true.

    Settled is an interval without 0, or one inside ``margin``. The interval is ``t sd / sqrt(n)`` for the seeds and
    ``z image_sd`` for the images, added in squares: seeds do not help against too few test images.

    Args:
        effects: one effect a seed, (seeds,).
        image_sd: standard deviation of the mean effect over the choice of test images.
        margin: half-width of what counts as equal.
        level: of the interval.
        limit: look no further than so many seeds in all.

    Returns:
        The number, up to the limit; None where no number is enough, or one seed says nothing about others.
    """
    have = len(effects)
    if have < 2:
        return None
    effect, seed_sd = abs(float(effects.mean())), float(effects.std(ddof=1))
    at_images = NormalDist().inv_cdf((1 + level) / 2) * image_sd
    for seeds in range(have + 1, limit + 1):
        half = math.hypot(t_quantile((1 + level) / 2, seeds - 1) * seed_sd / math.sqrt(seeds), at_images)
        if effect > half or effect + half < margin:
            return seeds - have
    settles = effect > at_images or effect + at_images < margin
    return limit - have if settles else None


def t_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's t, within 4 % from 2 degrees of freedom on.

    Source: Abramowitz and Stegun, 26.7.5.
    """
    z = NormalDist().inv_cdf(share)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return float(np.polyval([third, second, first, z], 1 / freedom))
