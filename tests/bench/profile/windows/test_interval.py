"""Intervals cover what they should, rounds balance a drift, warm-up stops when it may, answers follow the interval."""

import numpy as np
import pytest
from scipy import stats

from bench.profile.windows.interleaved import answer
from bench.profile.windows.interval import Interval, grouped_interval, median_interval, ratio_interval
from bench.profile.windows.rounds import LEAST_ROUNDS, rounds, warm_up


def test_ratio_of_constants_is_exact() -> None:
    found = ratio_interval([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    draw = np.random.default_rng(5)
    covered = 0
    for _ in range(60):
        below = draw.lognormal(0, 0.3, 25)
        above = 1.1 * below * draw.lognormal(0, 0.05, 25)
        found = ratio_interval(above, below)
        covered += found.low <= 1.1 <= found.high
    assert covered >= 52


def test_median_keeps_rounds_together() -> None:
    # Two values a round, always alike: as many rounds as values would halve the interval's width.
    draw = np.random.default_rng(1)
    levels = draw.normal(10, 1, 12)
    together = median_interval([[x] * 50 for x in levels])
    apart = median_interval([[x] for x in np.repeat(levels, 50)])
    assert together.value == pytest.approx(np.median(levels))
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_intervals_of_restarts_cover_what_differs_between_them() -> None:
    """Restarts differ by more than what is within them: that is what the interval has to know."""
    draw = np.random.default_rng(3)
    found = [
        grouped_interval([level + draw.normal(0, 0.01, 20) for level in draw.normal(10, 1, 4)]) for _ in range(200)
    ]
    assert 0.9 <= np.mean([row.low <= 10 <= row.high for row in found]) <= 0.99
    assert np.mean([a.overlaps(b) for a, b in zip(found[::2], found[1::2], strict=True)]) >= 0.9


@pytest.mark.parametrize("restarts", [2, 3, 8, 9, 12, 40])
def test_intervals_of_restarts_are_students(restarts: int) -> None:
    medians = np.random.default_rng(4).normal(10, 1, restarts)
    found = grouped_interval([[median] for median in medians])
    low, high = stats.t.interval(0.95, restarts - 1, medians.mean(), stats.sem(medians))
    middle = np.median(medians)
    assert (found.low, found.high) == pytest.approx((min(low, middle), max(high, middle)))


def test_one_sitting_has_the_range_of_its_values() -> None:
    found = grouped_interval([[3.0, 1.0, 2.0]])
    assert (found.low, found.value, found.high) == (1, 2, 3)


def test_overlap() -> None:
    a, b = Interval(value=1, low=0, high=2), Interval(value=3, low=2, high=4)
    assert a.overlaps(b)
    assert b.overlaps(a)
    assert not a.overlaps(Interval(value=3, low=2.1, high=4))


def test_a_linear_drift_weighs_on_both_alike() -> None:
    calls: list[str] = []

    def window(name: str, factor: float) -> float:
        calls.append(name)
        return factor * 1.0 + 0.01 * len(calls)

    pairs = rounds(lambda: window("a", 1.0), lambda: window("b", 1.0), seconds=0)
    assert len(pairs) == LEAST_ROUNDS
    assert "".join(calls) == "abba" * LEAST_ROUNDS
    assert all(a == pytest.approx(b) for a, b in pairs)


@pytest.mark.parametrize(
    ("paces", "windows", "stationary"),
    [
        ([9.0, 5.0, 3.0, 2.0, 1.01, 1.0, 7.0], 6, True),
        ([1.0, 1.0, 1.0, 1.0], 3, True),
        ([1.0, 2.0, 1.0, 2.0], 3, False),
    ],
)
def test_warm_up(paces: list[float], windows: int, stationary: bool) -> None:
    left = iter(paces)
    found = warm_up(lambda: next(left), seconds=1e9 if stationary else 0)
    assert (found.windows, found.stationary) == (windows, stationary)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.985, 1.015, "same"),
        (0.985, 0.995, "same"),
        (0.90, 0.99, "faster"),
        (1.001, 1.30, "slower"),
        (0.97, 1.01, "undecided"),
        (0.50, 2.00, "undecided"),
    ],
)
def test_answers(low: float, high: float, expected: str) -> None:
    assert answer(Interval(value=(low + high) / 2, low=low, high=high)) == expected
