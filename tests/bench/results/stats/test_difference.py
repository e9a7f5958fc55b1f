"""Differences of two cells: pairing, images that say nothing, single seeds and single groups."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.results.stats.components import Components
from bench.results.stats.difference import Difference
from bench.results.stats.grouping import Grouping
from bench.results.stats.pairing import Pairing
from bench.results.stats.scored import Scored

RANDOM = np.random.default_rng(0)
IMAGES = 48
GROUPING = Grouping(RANDOM.integers(12, size=IMAGES), RANDOM.integers(11, size=IMAGES))


def values(seeds: int, mean: float = 0.5, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return mean + 0.02 * random.normal(size=(seeds, 1)) + 0.1 * random.normal(size=(seeds, IMAGES))


def difference(
    a: np.ndarray, b: np.ndarray, pairing: Pairing | None = None, grouping: Grouping = GROUPING
) -> Difference:
    return Difference.of(Scored(a), Scored(b), grouping, pairing or Pairing.of(range(len(a)), range(len(b))))


def test_paired_is_the_mean_of_differences() -> None:
    a, b = values(3, 0.6), values(3, 0.5, 1)
    found = difference(a, b)
    expected = Components.of(a - b, GROUPING)
    assert found.effect == pytest.approx((a - b).mean())
    assert found.error == pytest.approx(math.sqrt(expected.variance))
    assert found.by_seed == pytest.approx((a - b).mean(1))
    low, high = found.interval()
    assert low < found.effect < high
    assert found.settles


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.booleans(), st.integers(0, 99))
def test_either_side_may_be_a(a: int, b: int, paired: bool, seed: int) -> None:
    b = a if paired else b
    pairing = Pairing(tuple(range(a)), tuple(range(b)), paired)
    back = Pairing(pairing.b, pairing.a, paired)
    x, y = values(a, 0.6, seed), values(b, 0.5, seed + 100)
    x[0, :3], y[-1, 5:7] = np.nan, np.nan
    one_way, other_way = difference(x, y, pairing), difference(y, x, back)
    assert one_way.effect == pytest.approx(-other_way.effect)
    assert one_way.error == pytest.approx(other_way.error)
    assert one_way.freedom == pytest.approx(other_way.freedom)
    assert one_way.p == pytest.approx(other_way.p)


def test_unpaired_counts_the_luck_of_both_sides() -> None:
    """A cell against itself on other seeds: intervals hold 0 as often as they should."""
    covered = []
    for draw in range(400):
        found = difference(values(3, seed=2 * draw), values(3, seed=2 * draw + 1), Pairing((0, 1, 2), (3, 4, 5), False))
        low, high = found.interval()
        covered.append(low <= 0 <= high)
    assert np.mean(covered) >= 0.93


def test_an_image_counts_where_both_have_something_to_say() -> None:
    a, b = values(2, 0.6), values(2, 0.5, 1)
    a[0, :4], b[1, 4:9] = np.nan, np.nan
    found = difference(a, b)
    assert found.a[0] == pytest.approx(a[0, 4:].mean())
    assert found.b[0] == pytest.approx(b[0, 4:].mean())
    assert found.a[1] == pytest.approx(np.delete(a[1], range(4, 9)).mean())


def test_an_image_without_any_value_and_its_groups_are_left_out() -> None:
    grouping = Grouping(np.r_[99, GROUPING.backgrounds[1:]], GROUPING.objects)
    a, b = values(2, 0.6), values(2, 0.5, 1)
    a[:, 0] = np.nan
    found = difference(a, b, grouping=grouping)
    without = difference(a[:, 1:], b[:, 1:], grouping=grouping.take(np.arange(IMAGES) > 0))
    assert 99 not in found.grouping.backgrounds
    assert found.interval() == pytest.approx(without.interval())


def test_one_seed_says_something_of_test_images_only() -> None:
    found = difference(values(1, 0.6), values(1, 0.5, 1))
    assert not found.settles
    assert found.freedom == GROUPING.freedom
    low, high = found.interval()
    assert 0 < high - low < math.inf


def test_what_does_not_depend_on_seeds_settles_on_images() -> None:
    found = difference(values(1, 0.9), values(1, 0.1, 1), Pairing.of((0,), (0,), a_random=False, b_random=False))
    assert found.settles
    assert found.freedom == GROUPING.freedom
    assert found.p < 0.05


def test_one_background_settles_nothing() -> None:
    found = difference(values(3, 0.6), values(3, 0.5, 1), grouping=Grouping(0 * GROUPING.objects, GROUPING.objects))
    assert not found.settles
    low, high = found.interval()
    assert high > low


def test_one_image_of_one_seed_has_no_end() -> None:
    found = difference(np.array([[0.9]]), np.array([[0.1]]), grouping=Grouping(np.array([0]), np.array([0])))
    assert found.interval() == (-math.inf, math.inf)
    assert found.p == 1
    assert not found.settles


def test_the_same_runs_are_equal() -> None:
    found = difference(values(3), values(3))
    assert found.interval() == (0, 0)
    assert found.p == 1


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (values(2), values(3), "rows for seeds"),
        (values(2)[:, 1:], values(2), "do not fit"),
        (np.full((2, IMAGES), np.inf), values(2), "infinite"),
        (np.full((2, IMAGES), np.nan), values(2), "without an image"),
    ],
)
def test_what_cannot_be_compared(a: np.ndarray, b: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        difference(a, b, Pairing((0, 1), (0, 1)))
