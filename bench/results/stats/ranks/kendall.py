"""Kendall's tau: whether two orders of the same things agree, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.results.stats.grouping import Grouping
from bench.results.stats.scored import Scored
from bench.results.stats.student import Values

REPLICATES = 1000
_LEVEL = 0.95


def kendall_tau(a: Values, b: Values) -> float:
    """Kendall's tau-b of two rows of numbers, (n,) each; NaN where either has ties only.

    ``(concordant - discordant) / sqrt(pairs not tied in a * pairs not tied in b)``.

    Source: Kendall, The treatment of ties in ranking problems, 1945.
    """
    above = np.triu_indices(len(a), 1)
    first, second = (np.sign(x[above[0]] - x[above[1]]) for x in (np.asarray(a), np.asarray(b)))
    pairs = np.count_nonzero(first) * np.count_nonzero(second)
    return float((first * second).sum() / np.sqrt(pairs)) if pairs else float("nan")


@dataclass(frozen=True)
class Measured:
    """Rows scored on the same data set.

    Attributes:
        rows: (seeds, images) each, with the same seeds and images as far as they go.
        grouping: of the images.
    """

    rows: Sequence[Scored]
    grouping: Grouping

    def figures(self, counts: Values, seeds: Sequence[Values]) -> Values:
        """Figures of the rows, (rows,), with so much weight on each image (images,) and on each seed (seeds,)."""
        return np.array([_figure(row, counts, of) for row, of in zip(self.rows, seeds, strict=True)])

    def resampled(self, random: np.random.Generator) -> Values:
        """How often each image comes when backgrounds and objects are drawn anew, each with replacement, (images,)."""
        counts = np.ones(len(self.grouping))
        for ids in (self.grouping.backgrounds, self.grouping.objects):
            names, places = np.unique(ids, return_inverse=True)
            if len(names) > 1:
                counts *= random.multinomial(len(names), np.full(len(names), 1 / len(names)))[places.reshape(-1)]
        return counts


@dataclass(frozen=True)
class RankAgreement:
    """How far two orders agree.

    Attributes:
        tau: Kendall's tau-b of the mean figures.
        low, high: of the 95 % bootstrap interval; NaN where it cannot be had.
        here, elsewhere: the figures, (rows,).
    """

    tau: float
    low: float
    high: float
    here: Values
    elsewhere: Values


def agreement(here: Measured, elsewhere: Measured, random: np.random.Generator) -> RankAgreement:
    """Tau between the orders of the same rows on two data sets, with its interval.

    Each replicate draws backgrounds and objects of either data set anew, and of each row its seeds, the same on both:
    they are the same networks. Rows with one seed keep it, so that with few seeds the interval is too narrow.

    Source: Owen, The pigeonhole bootstrap, 2007.
    """
    equal = [np.ones(len(row.values)) for row in here.rows]
    figures = [side.figures(np.ones(len(side.grouping)), equal) for side in (here, elsewhere)]
    taus = np.array(list(_taus(here, elsewhere, random)))
    known = taus[~np.isnan(taus)]
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(known, (tail, 1 - tail)) if len(known) > REPLICATES / 2 else (np.nan, np.nan)
    return RankAgreement(kendall_tau(*figures), float(low), float(high), *figures)


def _taus(here: Measured, elsewhere: Measured, random: np.random.Generator) -> Iterator[float]:
    for _ in range(REPLICATES):
        seeds = [_drawn(len(row.values), random) for row in here.rows]
        yield kendall_tau(*(side.figures(side.resampled(random), seeds) for side in (here, elsewhere)))


def _drawn(count: int, random: np.random.Generator) -> Values:
    return np.asarray(random.multinomial(count, np.full(count, 1 / count)), dtype=np.float64)


def _figure(row: Scored, counts: Values, seeds: Values) -> float:
    """The mean over seeds of what `Scored` says a seed's figure is, images weighted; NaN where no image counts."""
    weights = np.where(row.defined, 1.0 if row.weights is None else row.weights, 0.0) * counts
    powers = np.where(row.defined, row.values, 0.0) ** row.power
    totals = weights.sum(1)
    valued = (totals > 0) & (seeds > 0)
    if not valued.any():
        return float("nan")
    means = ((weights * powers).sum(1)[valued] / totals[valued]) ** (1 / row.power)
    return float(np.average(means, weights=seeds[valued]))
