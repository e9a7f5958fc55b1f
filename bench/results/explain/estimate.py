"""Estimates of a grid's variances: the most likely values, and draws of all plausible values."""

from __future__ import annotations

import numpy as np

from bench.results.explain.grid import Grid
from bench.results.explain.likelihood import restricted_log_likelihood
from bench.results.stats.student import Values

WALKERS, STEPS, SETTLING = 64, 1000, 100
"""Of the sampler, the last being steps that are thrown away. Other random numbers move an end of an interval of a share
by .01 as a rule, by .05 where the interval is wide open."""

_LEAST_START = 0.03
"""Of the spread: where a deviation that is most likely 0 starts, as its logarithm is sampled."""


def most_likely(grid: Grid) -> Values:
    """Standard deviations by restricted maximum likelihood, (4,); 0 for those that the grid does not identify.

    For a balanced grid they are what the mean squares of an analysis of variance give, where those are above 0.
    """
    from scipy.optimize import minimize

    active = np.flatnonzero(grid.separable)

    def lack(scaled: Values) -> float:
        """The negative log-likelihood of deviations in units of the spread."""
        return -float(restricted_log_likelihood(grid, _full(scaled * grid.spread, active)[None])[0])

    starts = [np.full(len(active), size) for size in (0.7, 0.1)]
    found = [
        minimize(lack, start, method="L-BFGS-B", bounds=[(0, 20)] * len(active), options={"ftol": 1e-12, "gtol": 1e-8})
        for start in starts
    ]
    best = min(found, key=lambda result: float(result.fun))
    return _full(best.x * grid.spread, active)


def plausible(grid: Grid, random: np.random.Generator, start: Values | None = None) -> Values:
    """Draws of the standard deviations that a grid leaves plausible, (draws, 4).

    Beforehand each is half-Cauchy about 0, with the spread of all runs as its scale (Gelman 2006): with three models
    the likelihood alone leaves their variance without an upper end. The sampler is that of Goodman and Weare (2010).
    Its walkers start about what is most likely: elsewhere some never leave regions of next to no probability.

    Args:
        grid: of figures.
        random: to draw with.
        start: what `most_likely` gives, if it is known.
    """
    active = np.flatnonzero(grid.separable)
    begin = np.maximum((most_likely(grid) if start is None else start)[active] / grid.spread, _LEAST_START)
    halves = np.split(begin * np.exp(0.5 * random.standard_normal((WALKERS, len(active)))), 2)
    weights = [_weight(grid, half, active) for half in halves]
    kept = []
    for step in range(STEPS):
        for mine, other in ((0, 1), (1, 0)):
            here, count = np.log(halves[mine]), WALKERS // 2
            target = np.log(halves[other][random.integers(count, size=count)])
            stretch = (1 + random.random(count)) ** 2 / 2
            proposed = np.exp(target + stretch[:, None] * (here - target))
            weight = _weight(grid, proposed, active)
            gain = (len(active) - 1) * np.log(stretch) + weight - weights[mine]
            taken = np.log(random.random(count)) < gain
            halves[mine] = np.where(taken[:, None], proposed, halves[mine])
            weights[mine] = np.where(taken, weight, weights[mine])
        if step >= SETTLING:
            kept += [half.copy() for half in halves]
    return _full(np.concatenate(kept) * grid.spread, active)


def _weight(grid: Grid, scaled: Values, active: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Values:
    """Log density of standard deviations in spreads of the grid, by their logarithms, (points,)."""
    with np.errstate(over="ignore"):
        prior = (np.log(scaled) - np.log1p(scaled**2)).sum(1)
    inside = ((scaled > 1e-4) & (scaled < 1e3)).all(1)
    weight = restricted_log_likelihood(grid, _full(np.clip(scaled, 1e-4, 1e3) * grid.spread, active)) + prior
    return np.where(inside, weight, -np.inf)


def _full(deviations: Values, active: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Values:
    """All four, 0 where the grid does not identify them."""
    full = np.zeros((*deviations.shape[:-1], 4))
    full[..., active] = deviations
    return full
