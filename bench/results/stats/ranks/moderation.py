"""`Moderation`: what the seed variances of several cells say about each of them, by empirical Bayes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, polygamma

from bench.results.stats.student import Values

LEAST_CELLS = 4
"""Fewer variances say too little about how variances spread; each cell is then left with its own."""


@dataclass(frozen=True)
class Moderation:
    """How seed variances spread over the cells of a table: scaled inverse chi squared.

    Attributes:
        variance: the typical variance.
        freedom: how many degrees of freedom it is worth in each cell; 0 if unknown, infinite if they do not
            differ.
        ceiling: no cell has more degrees of freedom than all cells together.
    """

    variance: float
    freedom: float
    ceiling: float

    @classmethod
    def of(cls, variances: Values, freedom: Values) -> Moderation:
        """Fit the spread to the cells' variances, by the moments of their logarithms.

        Args:
            variances: of each cell, (cells,); those of exactly 0 do not count.
            freedom: of each, (cells,), at least 1.

        Source: Smyth, Linear models and empirical Bayes methods for assessing differential expression, 2004, section 6.
        """
        varying = variances > 0
        variances, freedom = variances[varying], freedom[varying]
        ceiling = float(freedom.sum())
        if len(variances) < LEAST_CELLS:
            return cls(0.0, 0.0, ceiling)
        logs = np.log(variances) - digamma(freedom / 2) + np.log(freedom / 2)
        excess = float(logs.var(ddof=1) - polygamma(1, freedom / 2).mean())
        if excess <= 0:
            return cls(float((variances * freedom).sum() / freedom.sum()), math.inf, ceiling)
        prior = 2 * inverse_trigamma(excess)
        return cls(float(np.exp(logs.mean() + digamma(prior / 2) - math.log(prior / 2))), prior, ceiling)

    def moderate(self, variance: float, freedom: float) -> tuple[float, float]:
        """A cell's variance and its degrees of freedom in the light of the others.

        The larger of the cell's own and the moderated variance: a cell that varies more than others is believed.
        """
        if self.freedom == 0:
            return variance, freedom
        share = 1.0 if math.isinf(self.freedom) else self.freedom / (self.freedom + freedom)
        moderated = share * self.variance + (1 - share) * variance
        return max(variance, moderated), min(self.freedom + freedom, self.ceiling)


def inverse_trigamma(value: float) -> float:
    """The number whose trigamma is ``value``, above 0, by Newton's steps on ``1 / trigamma``.

    Source: Smyth 2004, appendix.
    """
    if value > 1e7:
        return 1 / math.sqrt(value)
    if value < 1e-6:
        return 1 / value
    number = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, number))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, number))
        number += step
        if abs(step) < 1e-8 * number:
            break
    return number
