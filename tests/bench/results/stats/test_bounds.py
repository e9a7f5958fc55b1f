"""Intervals hold nothing impossible, and their estimate in any case."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.profile.windows.interval import TIMES, grouped_interval
from bench.results.slices.slice_score import Gap, SliceScore
from bench.results.stats.bounds import UNBOUNDED, of_differences, within
from bench.results.stats.difference import Difference
from bench.results.stats.grouping import Grouping
from bench.results.stats.interquartile import InterquartileMean
from bench.results.stats.pairing import Pairing
from bench.results.stats.scored import Scored
from bench.results.stats.verdict import judge

SHARE = (0.0, 1.0)
GROUPING = Grouping(np.arange(4) % 2, np.arange(4) // 2)
WIDE = np.array([[0.0, 0.1, 0.9, 0.0], [0.9, 0.0, 0.2, 1.0]])
EVERY = np.ones(4, dtype=np.bool_)


@given(st.floats(0, 1), st.floats(0, 9), st.floats(0, 1))
def test_what_is_cut_off_holds_no_truth(value: float, half: float, truth: float) -> None:
    low, high = within(SHARE, value, value - half, value + half)
    assert 0 <= low <= value <= high <= 1
    assert (low <= truth <= high) == (value - half <= truth <= value + half)


def test_bounds_that_may_be_missing_or_wrong() -> None:
    assert within(UNBOUNDED, 0.5, -math.inf, math.inf) == (-math.inf, math.inf)
    assert within((0.0, None), 0.5, -math.inf, math.inf) == (0.0, math.inf)
    assert within(SHARE, 1.5, 1.2, 1.8) == (1.2, 1.5), "the estimate stays within"
    assert of_differences((-1.0, 1.0)) == (-2.0, 2.0)
    assert of_differences((None, 1.0)) == UNBOUNDED


def test_scores_of_a_slice_and_differences() -> None:
    a, b, pairing = Scored(WIDE), Scored(WIDE[:, ::-1] * 0.5), Pairing((0, 1), (0, 1), paired=True)
    whole, cut = SliceScore.of(a, GROUPING, EVERY), SliceScore.of(a, GROUPING, EVERY, SHARE)
    assert whole is not None and cut is not None and whole.low < 0 and whole.high > 1
    assert (cut.mean, cut.low, cut.high) == (whole.mean, 0.0, 1.0)
    gap = Gap.of(a, b, GROUPING, pairing, EVERY, SHARE)
    assert gap is not None and (gap.low, gap.high) == (-1.0, 1.0)
    difference = Difference.of(a, b, GROUPING, pairing)
    plain, bounded = judge(difference, True, 0.01), judge(difference, True, 0.01, SHARE)
    assert plain.low < -1 and plain.high > 1 and (bounded.low, bounded.high) == (-1.0, 1.0)
    assert (plain.verdict, plain.p) == (bounded.verdict, bounded.p)


def test_the_middle_of_the_seeds() -> None:
    figures = np.array([0.02, 0.05, 0.9, 0.95, 0.99])
    whole, cut = InterquartileMean.of(figures), InterquartileMean.of(figures, SHARE)
    assert whole is not None and cut is not None
    assert whole.low < 0 and whole.high > 1 and (cut.low, cut.high) == SHARE


def test_times() -> None:
    found = grouped_interval([[0.1], [2.0]], TIMES)
    assert found.low == 0 and found.high == pytest.approx(grouped_interval([[0.1], [2.0]]).high)
    assert grouped_interval([[-1.0], [1.0]]).low < -1, "logarithms may be anything"
