"""`MoreSeeds`: how many further seeds would probably settle a question, and how probably."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from bench.results.stats.components import Components, combine
from bench.results.stats.student import Values, half_width

TARGET = 0.8
"""A number is named when at least so large a share of the futures it is tried in settle."""

UNLIKELY = 0.25
"""With a chance below this further seeds are not worth their while."""

CANDIDATES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100)
"""Numbers that are tried; nobody runs more."""

_FUTURES = 400


@dataclass(frozen=True)
class MoreSeeds:
    """A number of further seeds.

    Attributes:
        count: the smallest that settles the question with a chance of `TARGET`; None if none of `CANDIDATES` does.
        chance: that it does with ``count``, or with the largest of `CANDIDATES`.
    """

    count: int | None
    chance: float

    @property
    def images_instead(self) -> bool:
        """Whether no number of seeds is likely to settle it, so that only more test images would."""
        return self.count is None and self.chance < UNLIKELY

    @classmethod
    def of(cls, components: Components, seeds: int, margin: float) -> MoreSeeds:
        """Try numbers of further seeds in futures in which the effect is what the seeds at hand show.

        In a future the variances over seeds and over images are values under which those at hand could have come about
        (drawn as ``freedom * variance / chi2``), and further seeds on the same test images are drawn about the effect
        at hand. A future settles where the interval over all seeds excludes 0 or lies within the margin.

        Args:
            components: of the difference at hand; scalars, both freedoms above 0.
            seeds: at hand, two or more.
            margin: half-width of what counts as equal.
        """
        freedom = float(components.seed_freedom)
        random = np.random.default_rng(0)  # the same records give the same answer
        now = float(components.seeds) * seeds
        drawn = now * freedom / random.chisquare(freedom, _FUTURES)
        image_freedom, interaction = components.image_freedom, float(components.interaction)
        both = (float(components.images) + interaction) * image_freedom / random.chisquare(image_freedom, _FUTURES)
        images = np.maximum(both - interaction, 0.0)
        shift, spread = random.standard_normal(_FUTURES), random.random(_FUTURES)
        chance = 0.0
        for count in CANDIDATES:
            total = seeds + count
            mean = float(components.mean) + shift * np.sqrt(drawn * count) / total
            within = np.zeros(_FUTURES) if count == 1 else _chi_squared(spread, count - 1) * drawn
            squares = freedom * now + within + drawn * shift**2 * seeds / total
            variance = squares / (freedom + count) / total
            chance = float(settled(mean, variance, freedom + count, images, image_freedom, margin).mean())
            if chance >= TARGET:
                return cls(count, chance)
        return cls(None, chance)


def settled(
    mean: Values, variance: Values, freedom: float, images: Values, image_freedom: float, margin: float
) -> npt.NDArray[np.bool_]:
    """Whether the 95 % interval about each mean excludes 0 or lies within the margin; bools, of the shape of ``mean``.

    Args:
        mean: of the difference, (...).
        variance, freedom: of each mean, by seeds.
        images, image_freedom: the same by images.
        margin: half-width of what counts as equal.
    """
    joint = combine(variance, np.full_like(variance, freedom), images, image_freedom)
    half = half_width(np.sqrt(variance + images), joint)
    return np.asarray((np.abs(mean) > half) | (np.abs(mean) + half <= margin))


def _chi_squared(share: Values, freedom: int) -> Values:
    """Quantiles of chi squared, (shares,); inversion keeps futures alike from one candidate to the next."""
    return np.asarray(chdtri(freedom, 1 - share), dtype=np.float64)
