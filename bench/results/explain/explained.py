"""`Explained`: where the variance of a metric comes from, and what single models and losses do to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.results.explain.estimate import most_likely, plausible
from bench.results.explain.grid import Grid
from bench.results.explain.likelihood import effects
from bench.results.stats.student import Values

KINDS = ("architecture", "loss", "interaction", "seed", "test images")
_FEWER = 200  # of the draws of variances, with which effects are drawn


@dataclass(frozen=True)
class VariancePart:
    """One source of variance of a run's figure.

    Attributes:
        kind: of `KINDS`.
        deviation: standard deviation that it brings to a run's figure.
        share: of the whole variance, with its 95 % interval ``low`` to ``high``.
    """

    kind: str
    deviation: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """What a model or a loss does on average, against the mean of all models or losses.

    Attributes:
        name: of it.
        effect: in the metric's units, with its 95 % interval ``low`` to ``high``; drawn towards 0 as far as it rests on
            few runs.
        runs: that it rests on.
    """

    name: str
    effect: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True)
class Explained:
    """One metric.

    Attributes:
        grid: of its figures.
        parts: sources of variance that the grid identifies.
        models, losses: main effects, the largest first.
        typical: standard deviations in the middle of what is plausible, (4,).
        notes: what the grid does not identify, and why.
    """

    grid: Grid
    parts: Sequence[VariancePart]
    models: Sequence[Effect]
    losses: Sequence[Effect]
    typical: Values
    notes: Sequence[str]

    @classmethod
    def of(cls, grid: Grid, images: tuple[float, float] | None) -> Explained:
        """Explain the figures of a grid.

        The first four parts are those on the test images at hand; what a choice of other images would do to a run's
        figure is the fifth.

        Args:
            grid: of two cells, or of a cell with several seeds.
            images: variance that the choice of test images brings to a figure, and its degrees of freedom; None where
                it is not known.
        """
        random = np.random.default_rng(0)  # the same records give the same answer
        estimate = most_likely(grid)
        drawn = plausible(grid, random, estimate)
        separable = grid.separable
        variances, draws = (estimate**2)[separable], (drawn**2)[:, separable]
        kinds = [kind for kind, known in zip(KINDS, separable, strict=False) if known]
        if images is not None and images[1] > 0:
            variance, freedom = images
            variances = np.append(variances, variance)
            spread = variance * freedom / random.chisquare(freedom, len(drawn))
            draws, kinds = np.concatenate([draws, spread[:, None]], axis=1), [*kinds, KINDS[-1]]
        shares, share_draws = variances / (variances.sum() or 1.0), draws / draws.sum(1, keepdims=True)
        low, high = np.quantile(share_draws, [0.025, 0.975], axis=0)
        parts = [
            VariancePart(kind, float(np.sqrt(variance)), float(share), float(min(share, a)), float(max(share, b)))
            for kind, variance, share, a, b in zip(kinds, variances, shares, low, high, strict=True)
        ]
        found = effects(grid, drawn[:: max(1, len(drawn) // _FEWER)], random)
        runs = (grid.incidence * grid.seeds[:, None]).sum(0)
        every = [
            Effect(name, float(column.mean()), float(low), float(high), int(count))
            for name, column, count in zip([*grid.models, *grid.losses], found.T, runs, strict=True)
            for low, high in [np.quantile(column, [0.025, 0.975])]
        ]
        models, losses = (
            sorted(group, key=lambda effect: -effect.effect) if known else []
            for group, known in zip(
                (every[: len(grid.models)], every[len(grid.models) :]), separable[:2].tolist(), strict=True
            )
        )
        return cls(grid, parts, models, losses, np.median(drawn, axis=0), grid.notes)
