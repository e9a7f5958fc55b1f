"""How likely variances are, given a grid, and what models and losses do if they are true."""

from __future__ import annotations

import numpy as np

from bench.results.explain.grid import INTERACTION, LOSS, MODEL, SEED, Grid
from bench.results.stats.student import Values

_LEAST = 1e-6
"""Least standard deviation of seeds, as a share of the grid's spread: it is divided by."""

_VAGUE = 100.0
"""Standard deviation of what is known of the mean beforehand, in spreads of the grid: nothing."""


def restricted_log_likelihood(grid: Grid, deviations: Values) -> Values:
    """Logarithm of the restricted likelihood, up to a constant.

    A cell's mean over seeds is ``mean + model + loss + interaction + seeds' luck``, each normal with its own variance;
    its seeds scatter about it. The mean is integrated out, so that variances are not too small by the figure that
    was fitted (Patterson and Thompson 1971).

    Args:
        grid: of figures.
        deviations: standard deviations, (points, 4), in the order of `bench.results.explain.grid`.

    Returns:
        (points,).
    """
    seed = np.maximum(deviations[:, SEED], _LEAST * grid.spread) ** 2
    own = deviations[:, INTERACTION, None] ** 2 + seed[:, None] / grid.seeds
    loading = _loadings(grid, deviations)
    left = grid.incidence / own[..., None]
    inner = np.eye(loading.shape[-1]) + loading[:, :, None] * (grid.incidence.T @ left) * loading[:, None, :]
    regressors = np.stack([np.ones(len(grid.means)), grid.means - grid.means.mean()], axis=1)
    weighted = regressors / own[..., None]
    projected = loading[..., None] * (grid.incidence.T @ weighted)
    products = regressors.T @ weighted - projected.mT @ np.linalg.solve(inner, projected)
    precision, crossed, squares = products[:, 0, 0], products[:, 0, 1], products[:, 1, 1]
    determinant = np.log(own).sum(1) + np.linalg.slogdet(inner)[1]
    between = determinant + np.log(precision) + squares - crossed**2 / precision
    return np.asarray(-0.5 * (between + grid.freedom * np.log(seed) + grid.within / seed), dtype=np.float64)


def effects(grid: Grid, deviations: Values, random: np.random.Generator) -> Values:
    """What models and losses do, drawn once for each of some variances.

    Args:
        grid: of figures.
        deviations: (points, 4).
        random: to draw with.

    Returns:
        (points, models + losses), less the mean over models and over losses.
    """
    seed = np.maximum(deviations[:, SEED], _LEAST * grid.spread) ** 2
    own = deviations[:, INTERACTION, None] ** 2 + seed[:, None] / grid.seeds
    incidence = np.concatenate([np.ones((len(grid.cells), 1)), grid.incidence], axis=1)
    vague = np.full((len(deviations), 1), _VAGUE * grid.spread)
    loading = np.concatenate([vague, _loadings(grid, deviations)], axis=1)
    left = incidence / own[..., None]
    precision = np.eye(loading.shape[-1]) + loading[:, :, None] * (incidence.T @ left) * loading[:, None, :]
    centred = grid.means - grid.means.mean()
    mean = np.linalg.solve(precision, loading[..., None] * (left.mT @ centred)[..., None])[..., 0]
    noise = np.linalg.solve(
        np.linalg.cholesky(precision).mT, random.standard_normal((*mean.shape, 1))
    )[..., 0]  # fmt: skip
    drawn = (loading * (mean + noise))[:, 1:]
    split = len(grid.models)
    parts = [drawn[:, :split], drawn[:, split:]]
    return np.concatenate([part - part.mean(1, keepdims=True) for part in parts], axis=1)


def covariance(grid: Grid, deviations: Values) -> Values:
    """Of what is still unknown of every cell of the grid, run or not, (models * losses, models * losses).

    A cell is the mean of its seeds in the limit of infinitely many.

    Args:
        grid: of figures.
        deviations: (4,).
    """
    models, losses = len(grid.models), len(grid.losses)
    model, loss = np.divmod(np.arange(models * losses), losses)
    prior = (_VAGUE * grid.spread) ** 2 + deviations[INTERACTION] ** 2 * np.eye(models * losses)
    prior += deviations[MODEL] ** 2 * (model[:, None] == model) + deviations[LOSS] ** 2 * (loss[:, None] == loss)
    present = grid.incidence[:, :models].argmax(1) * losses + grid.incidence[:, models:].argmax(1)
    noise = max(float(deviations[SEED]), _LEAST * grid.spread) ** 2 / grid.seeds
    known = prior[np.ix_(present, present)] + np.diag(noise)
    return np.asarray(prior - prior[:, present] @ np.linalg.solve(known, prior[present]), dtype=np.float64)


def _loadings(grid: Grid, deviations: Values) -> Values:
    """The standard deviation of each model's and each loss's effect, (points, models + losses)."""
    repeats = [len(grid.models), len(grid.losses)]
    return np.repeat(deviations[:, [MODEL, LOSS]], repeats, axis=1)
