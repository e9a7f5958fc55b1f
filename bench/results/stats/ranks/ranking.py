"""`rank`: which rows of a table differ significantly from its leader, and which are tied with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.results.stats.components import joint_freedom
from bench.results.stats.difference import Difference
from bench.results.stats.grouping import Grouping
from bench.results.stats.pairing import Pairing
from bench.results.stats.ranks.moderation import Moderation
from bench.results.stats.scored import Scored
from bench.results.stats.student import Values

_LEVEL = 0.05
"""Share of tables in which a row as good as the leader is called worse."""


@dataclass(frozen=True)
class Contender:
    """A row of a table: a cell on a metric.

    Attributes:
        seeds: of its runs.
        scored: (seeds, images), in the order of ``seeds``, on the images that all entries share.
    """

    seeds: tuple[int, ...]
    scored: Scored

    @property
    def figures(self) -> Values:
        """Each seed's figure, (seeds,).

        Raises:
            ValueError: a seed has infinite values or none.
        """
        if np.isinf(self.scored.values).any() or not self.scored.defined.any(axis=1).all():
            raise ValueError("a seed with infinite values, or with none")
        return np.asarray(self.scored.contributions(self.scored.defined).mean(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Rank:
    """Where a row stands.

    Attributes:
        tie: 1 for the leader and all rows tied with it, then the same among the rest; None for a row with
            a single seed, which has no place beside several.
        p: of no difference from the leader of the whole table, corrected for all the rows; 1 for the leader itself,
            None for a single seed.
    """

    tie: int | None
    p: float | None


def rank(entries: Mapping[str, Contender], grouping: Grouping, higher_is_better: bool) -> dict[str, Rank]:
    """Ask of every row whether it is worse than the leader.

    The leader is the row with the best mean. Each other row's difference from it is judged as a single comparison is,
    with one exception: seed variances are pooled over the rows (`Moderation`), since a table's many questions at few
    seeds have no answer otherwise. Because the leader is chosen by the same figures, Holm's correction counts all
    pairs of the rows still in question, not the pairs with the leader alone.

    Args:
        entries: by name; those with a single seed get no place.
        grouping: of the images that all entries share.
        higher_is_better: direction of the metric.

    Raises:
        ValueError: a seed has infinite values or none, or no image in common with another row.
    """
    several = {name: entry for name, entry in entries.items() if len(entry.seeds) > 1}
    places = dict.fromkeys(entries, Rank(None, None))
    sign = 1.0 if higher_is_better else -1.0
    figures = {name: entry.figures for name, entry in several.items()}
    moderation = moderation_of(figures.values())
    rest = sorted(several, key=lambda name: -sign * float(figures[name].mean()))
    tie = 0
    while rest:
        tie += 1
        leader = rest[0]
        others = {
            name: _against(several[leader], several[name], figures[leader], figures[name], grouping, moderation)
            for name in rest[1:]
        }
        corrected = holm({name: difference.p for name, difference in others.items()})
        apart = {
            name for name, difference in others.items() if corrected[name] <= _LEVEL and sign * difference.effect > 0
        }
        for name in rest:
            p = corrected.get(name, 1.0) if tie == 1 else places[name].p
            places[name] = Rank(None if name in apart else tie, p)
        rest = [name for name in rest if name in apart]
    return places


def moderation_of(figures: Iterable[Values]) -> Moderation:
    """What the rows' seed variances say about each other.

    Args:
        figures: by seed, of every row with several, (seeds,) each.
    """
    rows = list(figures)
    variances = [float(row.var(ddof=1)) for row in rows]
    return Moderation.of(np.array(variances), np.array([len(row) - 1.0 for row in rows]))


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """Corrected p values of comparisons with a leader that was chosen by the same figures.

    Holm's steps from the smallest p up, each p times the pairs among the rows not yet found worse, the leader included.
    """
    corrected, largest = {}, 0.0
    for step, name in enumerate(sorted(values, key=values.__getitem__)):
        rows = len(values) + 1 - step
        largest = max(largest, min(1.0, values[name] * rows * (rows - 1) / 2))
        corrected[name] = largest
    return corrected


def _against(
    leader: Contender, other: Contender, ours: Values, theirs: Values, grouping: Grouping, moderation: Moderation
) -> Difference:
    """The leader less another row, with moderated seed variances."""
    pairing = Pairing.of(leader.seeds, other.seeds)
    difference = Difference.of(_rows(leader, pairing.a), _rows(other, pairing.b), grouping, pairing)
    if moderation.freedom == 0:
        return difference
    (a, a_freedom), (b, b_freedom) = (
        moderation.moderate(float(values.var(ddof=1)), len(values) - 1.0) for values in (ours, theirs)
    )
    a, b = a / len(pairing.a), b / len(pairing.b)
    freedom = joint_freedom(*(np.asarray(part) for part in (a, a_freedom, b, b_freedom)))
    freedom = np.minimum(freedom, moderation.ceiling)
    components = replace(difference.components, seeds=np.asarray(a + b), seed_freedom=freedom)
    return replace(difference, components=components)


def _rows(entry: Contender, seeds: Sequence[int]) -> Scored:
    place = [entry.seeds.index(seed) for seed in seeds]
    scored = entry.scored
    return Scored(scored.values[place], None if scored.weights is None else scored.weights[place], scored.power)
