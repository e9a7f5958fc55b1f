"""`Difference`: how far apart two cells are on a metric, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench.results.stats.components import Components, difference_of
from bench.results.stats.grouping import Grouping
from bench.results.stats.pairing import Pairing
from bench.results.stats.scored import Scored
from bench.results.stats.student import Values, half_width, two_sided_p


@dataclass(frozen=True)
class Difference:
    """A minus B.

    Attributes:
        a, b: each seed's figure over the images that count, (seeds,) each.
        components: of the difference; scalars.
        pairing: the seeds.
        grouping: of the images that count.
    """

    a: Values
    b: Values
    components: Components
    pairing: Pairing
    grouping: Grouping

    @classmethod
    def of(cls, a: Scored, b: Scored, grouping: Grouping, pairing: Pairing) -> Difference:
        """Compare two cells that were scored on the same images.

        Paired, an image counts for a pair of seeds where both have something to say. Unpaired, it counts where all
        seeds of both sides have.

        Args:
            a, b: (seeds, images) each, a row a seed of the pairing.
            grouping: of the images.
            pairing: how the rows stand to each other.

        Raises:
            ValueError: shapes that do not fit, values that are infinite, or no image that both sides scored.
        """
        if (len(a.values), len(b.values)) != (len(pairing.a), len(pairing.b)):
            raise ValueError(f"{len(a.values)} and {len(b.values)} rows for seeds {pairing.a} and {pairing.b}")
        if a.values.shape[1:] != b.values.shape[1:] or a.values.shape[1] != len(grouping):
            raise ValueError(f"shapes {a.values.shape}, {b.values.shape} and {len(grouping)} grouped images do not fit")
        if np.isinf(a.values).any() or np.isinf(b.values).any():
            raise ValueError("infinite values: a prediction held a NaN")
        if pairing.paired:
            of_a = of_b = a.defined & b.defined
        else:
            common = a.defined.all(axis=0) & b.defined.all(axis=0)
            of_a, of_b = (np.broadcast_to(common, side.values.shape) for side in (a, b))
        if not of_a.any(axis=1).all():
            raise ValueError("a seed without an image that both sides scored")
        used = np.asarray(of_a.any(axis=0), dtype=np.bool_)
        left, right = a.only(used).contributions(of_a[:, used]), b.only(used).contributions(of_b[:, used])
        groups = grouping.take(used)
        components = Components.of(left - right, groups) if pairing.paired else _apart(left, right, groups)
        return cls(left.mean(1), right.mean(1), components, pairing, groups)

    @property
    def effect(self) -> float:
        """Mean of A less mean of B."""
        return float(self.components.mean)

    @property
    def error(self) -> float:
        """Standard error of `effect`; with a single seed that of the choice of test images alone."""
        return math.sqrt(float(self.components.variance))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of `error`; 0 where nothing at hand could vary."""
        return float(self.components.freedom)

    @property
    def p(self) -> float:
        """Two-sided, of no difference; 1 where nothing at hand could vary."""
        return float(two_sided_p(self.effect, self.error, self.freedom)) if self.freedom > 0 else 1.0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """What the true difference probably lies in; without end where nothing at hand could vary."""
        half = float(half_width(self.error, self.freedom, level)) if self.freedom > 0 else math.inf
        return self.effect - half, self.effect + half

    @property
    def settles(self) -> bool:
        """Whether seeds, backgrounds and objects are several each, so that it speaks for others than those at hand."""
        return self.pairing.settles and not self.grouping.single

    @property
    def by_seed(self) -> Values:
        """The difference that each pair of seeds shows, (pairs,); unpaired, the smallest and the largest of any two."""
        if self.pairing.paired:
            return self.a - self.b
        return np.array([self.a.min() - self.b.max(), self.a.max() - self.b.min()])


def _apart(a: Values, b: Values, grouping: Grouping) -> Components:
    """Unpaired; where either side has a single seed, the variance is that of the images alone."""
    by_image = a.mean(0) - b.mean(0)
    images = grouping.variance(by_image - by_image.mean())
    if min(len(a), len(b)) == 1:
        nothing = np.zeros_like(images)
        return Components(by_image.mean(), nothing, images, nothing, nothing, grouping.freedom)
    left, right = Components.of(a, grouping), Components.of(b, grouping)
    pure = np.maximum(images - left.interaction - right.interaction, 0.0)
    return difference_of(left, right, np.asarray(pure, dtype=np.float64))
