"""`best_chances`: held to a simulation by hand, and to what must not change it."""

from __future__ import annotations

import numpy as np
import pytest

from bench.results.stats.grouping import Grouping
from bench.results.stats.ranks.best import DRAWS, best_chances
from bench.results.stats.ranks.ranking import Contender
from bench.results.stats.scored import Scored
from bench.results.stats.student import Values

IMAGES, GROUPS = 60, 12
GROUPING = Grouping(np.arange(IMAGES) % GROUPS, np.arange(IMAGES) // 5 % 7)
ERROR = 3 * 0.5 / np.sqrt(DRAWS)
"""Three standard errors of a probability that is drawn so often."""


def contender(figures: list[float], hard: Values | float = 0.0) -> Contender:
    """A row whose seeds have these figures; ``hard`` is added to its images, and of mean 0."""
    return Contender(tuple(range(len(figures))), Scored(np.array(figures)[:, None] + np.zeros(IMAGES) + hard))


def test_they_are_what_students_t_gives_where_images_are_alike() -> None:
    a, b = [0.80, 0.84, 0.82], [0.79, 0.80, 0.84]
    found = best_chances({"a": contender(a), "b": contender(b)}, GROUPING, True)
    random = np.random.default_rng(7)
    drawn = [
        np.mean(row) + np.std(row, ddof=1) / np.sqrt(3) * random.standard_t(2, 400_000)  # type: ignore[arg-type]
        for row in (a, b)
    ]
    assert found["a"] == pytest.approx(float((drawn[0] > drawn[1]).mean()), abs=ERROR)
    assert sum(filter(None, found.values())) == pytest.approx(1)


def test_a_row_far_ahead_is_certain_and_a_copy_halves_it() -> None:
    rows = {"a": contender([0.90, 0.91]), "b": contender([0.10, 0.11])}
    assert best_chances(rows, GROUPING, True) == {"a": pytest.approx(1, abs=0.05), "b": pytest.approx(0, abs=0.05)}
    twins = {"a": contender([0.90, 0.91, 0.92]), "c": contender([0.90, 0.91, 0.92]), "b": contender([0.1, 0.11, 0.12])}
    found = best_chances(twins, GROUPING, True)
    assert found["a"] == pytest.approx(0.5, abs=0.05) and found["c"] == pytest.approx(0.5, abs=0.05)


def test_a_metric_turned_round_gives_the_same() -> None:
    rows = {"a": [0.80, 0.84, 0.82], "b": [0.79, 0.80, 0.84], "c": [0.7, 0.9, 0.8]}
    high = best_chances({name: contender(row) for name, row in rows.items()}, GROUPING, True)
    low = best_chances({name: contender([1 - x for x in row]) for name, row in rows.items()}, GROUPING, False)
    for name in rows:
        assert high[name] == pytest.approx(low[name], abs=2 * ERROR)


def test_single_seeds_have_no_chance_and_take_none() -> None:
    rows = {"a": contender([0.8, 0.82]), "once": contender([0.99]), "b": contender([0.7, 0.74])}
    found = best_chances(rows, GROUPING, True)
    assert found["once"] is None
    alone = best_chances({name: rows[name] for name in ("a", "b")}, GROUPING, True)
    assert {name: found[name] for name in ("a", "b")} == alone
    assert best_chances({"once": rows["once"]}, GROUPING, True) == {"once": None}
    assert best_chances({}, GROUPING, True) == {}


def test_images_that_are_hard_for_all_move_none_ahead() -> None:
    hard = np.where(np.arange(IMAGES) % GROUPS < 3, -0.5, 0.5 / 3)
    plain = best_chances({"a": contender([0.8, 0.84, 0.82]), "b": contender([0.79, 0.8, 0.84])}, GROUPING, True)
    both = {"a": contender([0.8, 0.84, 0.82], hard), "b": contender([0.79, 0.8, 0.84], hard)}
    assert best_chances(both, GROUPING, True)["a"] == pytest.approx(plain["a"], abs=2 * ERROR)


def test_images_that_are_hard_for_one_row_alone_make_it_less_certain() -> None:
    hard = np.where(np.arange(IMAGES) % GROUPS < 3, -0.5, 0.5 / 3)
    a, b = [0.80, 0.805, 0.81], [0.78, 0.785, 0.79]
    sure = best_chances({"a": contender(a), "b": contender(b)}, GROUPING, True)
    unsure = best_chances({"a": contender(a, hard), "b": contender(b)}, GROUPING, True)
    assert sure["a"] > 0.95 > 0.8 > unsure["a"] > 0.4  # type: ignore[operator]


def test_the_same_records_give_the_same_answer() -> None:
    rows = {"a": contender([0.8, 0.84]), "b": contender([0.79, 0.8])}
    assert best_chances(rows, GROUPING, True) == best_chances(rows, GROUPING, True)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_seed_without_finite_values_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="infinite values, or with none"):
        best_chances({"a": contender([0.8, bad]), "b": contender([0.7, 0.8])}, GROUPING, True)
