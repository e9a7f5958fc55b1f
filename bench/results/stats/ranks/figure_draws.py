"""Figures of several rows on several metrics as they may be in truth, drawn together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import chdtri

from bench.results.stats.grouping import Grouping
from bench.results.stats.ranks.ranking import Contender, moderation_of
from bench.results.stats.student import Values

DRAWS = 2000


def figure_draws(
    metrics: Sequence[Mapping[str, Contender]], grouping: Grouping, random: np.random.Generator
) -> dict[str, Values]:
    """Draw the figures of rows that have several seeds on every metric.

    A seed's effects on several metrics are correlated: they are drawn from the same seeds. So are
    backgrounds and objects, for all rows and metrics at once. Seed variances are moderated as in a table.

    Args:
        metrics: of each, an entry per row; rows that lack it are left out.
        grouping: of the images that all entries share.
        random: to draw with.

    Returns:
        By row, (draws, metrics).
    """
    names = [name for name in metrics[0] if all(name in rows and len(rows[name].seeds) > 1 for rows in metrics)]
    groups = [(random.standard_normal((DRAWS, count)), count) for count in grouping.counts.values()]
    luck = {name: _luck(metrics[0][name], random) for name in names}
    found = {name: np.empty((DRAWS, len(metrics))) for name in names}
    for place, rows in enumerate(metrics):
        figures = {name: rows[name].figures for name in names}
        moderation = moderation_of(figures.values())
        for name in names:
            values, (seeds, spread) = figures[name], luck[name]
            own = float(values.var(ddof=1))
            variance, freedom = moderation.moderate(own, len(values) - 1.0)
            scale = np.sqrt(variance / own) if own > 0 else 0.0
            size = np.sqrt(freedom / chdtri(freedom, spread) / len(values) / (len(values) - 1))
            drawn = values.mean() + scale * size * (seeds[:, : len(values)] @ (values - values.mean()))
            scored = rows[name].scored
            by_image = scored.contributions(scored.defined).mean(axis=0)
            for sums, (draw, count) in zip(grouping.sums(by_image - by_image.mean()), groups, strict=True):
                if count > 1:
                    drawn += draw @ sums / len(grouping) * np.sqrt(count / (count - 1))
            found[name][:, place] = drawn
    return found


def _luck(entry: Contender, random: np.random.Generator) -> tuple[Values, Values]:
    """What stands for a row's seeds in every draw, and where in chi squared their spread is taken."""
    return random.standard_normal((DRAWS, len(entry.seeds))), random.uniform(1e-6, 1 - 1e-6, DRAWS)
