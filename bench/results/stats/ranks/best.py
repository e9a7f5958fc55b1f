"""How probably each row of a table is the best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bench.results.stats.grouping import Grouping
from bench.results.stats.ranks.ranking import Contender, moderation_of

DRAWS = 4000
"""A probability of one half is then known within .016."""


def best_chances(
    entries: Mapping[str, Contender], grouping: Grouping, higher_is_better: bool
) -> dict[str, float | None]:
    """How often each row is best among figures that may as well be the true ones.

    A row's figure is drawn with Student's t about its mean, with its moderated seed variance; and the backgrounds and
    the objects are drawn anew for all rows at once, so that images that are hard for all of them move none ahead.

    Args:
        entries: by name.
        grouping: of the images that all entries share.
        higher_is_better: direction of the metric.

    Returns:
        Probabilities, of sum 1 over the rows with several seeds; None for a row with a single seed.

    Raises:
        ValueError: a seed has infinite values or none.
    """
    several = {name: entry for name, entry in entries.items() if len(entry.seeds) > 1}
    chances: dict[str, float | None] = dict.fromkeys(entries)
    if not several:
        return chances
    figures = {name: entry.figures for name, entry in several.items()}
    moderation = moderation_of(figures.values())
    random = np.random.default_rng(0)  # the same records give the same answer
    kinds = [(random.standard_normal((DRAWS, count)), count) for count in grouping.counts.values()]
    drawn = []
    for name, entry in several.items():
        values = figures[name]
        variance, freedom = moderation.moderate(float(values.var(ddof=1)), len(values) - 1.0)
        figure = values.mean() + random.standard_t(freedom, DRAWS) * np.sqrt(variance / len(values))
        by_image = entry.scored.contributions(entry.scored.defined).mean(axis=0)
        for sums, (draw, count) in zip(grouping.sums(by_image - by_image.mean()), kinds, strict=True):
            if count > 1:
                figure += draw @ sums / len(grouping) * np.sqrt(count / (count - 1))
        drawn.append(figure if higher_is_better else -figure)
    wins = np.bincount(np.stack(drawn).argmax(axis=0), minlength=len(drawn)) / DRAWS
    return chances | dict(zip(several, wins.tolist(), strict=True))
