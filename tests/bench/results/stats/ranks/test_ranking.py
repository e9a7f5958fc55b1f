"""Tables: who is tied with the leader, what a correction costs, and that a single seed has no place."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.results.stats.difference import Difference
from bench.results.stats.grouping import Grouping
from bench.results.stats.pairing import Pairing
from bench.results.stats.ranks.best import best_chances
from bench.results.stats.ranks.ranking import Contender, holm, rank
from bench.results.stats.scored import Scored

GROUPING = Grouping(np.arange(60) % 12, np.arange(60) % 11)


def entry(mean: float, seeds: int = 3, noise: float = 0.003, first: int = 0) -> Contender:
    random = np.random.default_rng([seeds, int(1000 * mean)])
    values = mean + noise * random.normal(size=(seeds, 1)) + 0.02 * random.normal(size=(seeds, 60))
    return Contender(tuple(range(first, first + seeds)), Scored(values))


def test_tiers_from_the_best_down() -> None:
    rows = {"a": entry(0.9), "b": entry(0.901), "c": entry(0.7), "d": entry(0.701), "e": entry(0.3)}
    places = rank(rows, GROUPING, higher_is_better=True)
    assert [places[name].tie for name in rows] == [1, 1, 2, 2, 3]
    assert [place.tie for place in rank(rows, GROUPING, higher_is_better=False).values()] == [3, 3, 2, 2, 1]
    assert (places["b"].p or 0) > 0.5
    assert places["e"].p is not None
    assert places["e"].p < 0.05


def test_a_single_seed_has_no_place_beside_several() -> None:
    rows = {"lucky": entry(0.99, seeds=1), "a": entry(0.9), "b": entry(0.5)}
    places = rank(rows, GROUPING, higher_is_better=True)
    assert places["lucky"].tie is places["lucky"].p is None
    assert places["a"].tie == 1
    chances = best_chances(rows, GROUPING, higher_is_better=True)
    assert chances["lucky"] is None
    assert chances["a"] == 1


def test_two_rows_are_a_single_comparison() -> None:
    a, b = entry(0.9), entry(0.88)
    expected = Difference.of(a.scored, b.scored, GROUPING, Pairing.of(a.seeds, b.seeds)).p
    assert rank({"a": a, "b": b}, GROUPING, higher_is_better=True)["b"].p == pytest.approx(expected)


def test_rows_without_common_seeds_are_told_apart_too() -> None:
    rows = {"a": entry(0.9), "b": entry(0.5, seeds=4, first=10)}
    assert [place.tie for place in rank(rows, GROUPING, higher_is_better=True).values()] == [1, 2]


def test_pooled_variances_tell_more_rows_apart() -> None:
    rows = {f"{mean}": entry(mean, seeds=2) for mean in (0.9, 0.8, 0.79, 0.78, 0.77, 0.76)}
    alone = Difference.of(rows["0.9"].scored, rows["0.8"].scored, GROUPING, Pairing.of((0, 1), (0, 1))).p
    pooled = rank(rows, GROUPING, higher_is_better=True)["0.8"].p
    assert pooled is not None
    assert pooled < alone


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abcdef", min_size=1), st.floats(0, 1), min_size=1))
def test_holm(values: dict[str, float]) -> None:
    corrected = holm(values)
    smallest = min(values, key=values.__getitem__)
    rows = len(values) + 1
    assert corrected[smallest] == pytest.approx(min(1, values[smallest] * rows * (rows - 1) / 2))
    assert all(corrected[name] >= values[name] - 1e-12 for name in values)
    ordered = sorted(values, key=values.__getitem__)
    assert all(corrected[x] <= corrected[y] for x, y in pairwise(ordered))


def test_a_table_of_one_row_and_of_none() -> None:
    assert rank({"a": entry(0.9)}, GROUPING, higher_is_better=True)["a"].tie == 1
    assert rank({}, GROUPING, higher_is_better=True) == {}
    assert best_chances({}, GROUPING, higher_is_better=True) == {}


def test_probabilities_of_being_best() -> None:
    rows = {"a": entry(0.9), "b": entry(0.898), "c": entry(0.5)}
    chances = best_chances(rows, GROUPING, higher_is_better=True)
    assert sum(chance or 0 for chance in chances.values()) == pytest.approx(1)
    assert chances["c"] == 0
    assert 0.1 < (chances["b"] or 0) < 0.9
    assert best_chances(rows, GROUPING, higher_is_better=False)["c"] == 1


def test_images_hard_for_all_rows_move_none_ahead() -> None:
    hard = np.random.default_rng(0).normal(0, 0.2, 60)
    rows = {
        name: Contender(row.seeds, Scored(row.scored.values + hard))
        for name, row in (("a", entry(0.9, noise=0.001)), ("b", entry(0.87, noise=0.001)))
    }
    assert (best_chances(rows, GROUPING, higher_is_better=True)["a"] or 0) > 0.95


def test_rows_that_cannot_be_ranked() -> None:
    broken = Contender((0, 1), Scored(np.full((2, 60), np.inf)))
    with pytest.raises(ValueError, match="infinite"):
        rank({"a": entry(0.9), "b": broken}, GROUPING, higher_is_better=True)
