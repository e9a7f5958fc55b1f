"""Kendall's tau against scipy, and its interval where the answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from bench.results.stats.grouping import Grouping
from bench.results.stats.ranks.kendall import Measured, agreement, kendall_tau
from bench.results.stats.scored import Scored

numbers = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=12)


@settings(deadline=None)
@given(numbers)
def test_tau_is_scipys(pairs: list[tuple[int, int]]) -> None:
    a, b = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    expected = kendalltau(a, b).statistic
    np.testing.assert_allclose(kendall_tau(a, b), expected, atol=1e-12, equal_nan=True)


def measured(means: list[float], spread: float, seeds: int, seed: int, images: int = 120) -> Measured:
    random = np.random.default_rng(seed)
    grouping = Grouping(np.arange(images) % 12, np.arange(images) // 12)
    rows = [Scored(mean + spread * random.standard_normal((seeds, images))) for mean in means]
    return Measured(rows, grouping)


def test_clear_orders_agree_or_are_opposite() -> None:
    means = [0.1, 0.3, 0.5, 0.7, 0.9]
    same = agreement(measured(means, 0.01, 2, 0), measured(means, 0.01, 2, 1), np.random.default_rng(0))
    assert (same.tau, same.low, same.high) == (1, 1, 1)
    opposite = agreement(measured(means, 0.01, 2, 0), measured(means[::-1], 0.01, 2, 1), np.random.default_rng(0))
    assert (opposite.tau, opposite.low, opposite.high) == (-1, -1, -1)
    np.testing.assert_allclose(same.here, means, atol=0.01)


def test_rows_that_cannot_be_told_apart_have_a_wide_interval() -> None:
    unclear = agreement(measured([0.5] * 6, 0.3, 3, 0), measured([0.5] * 6, 0.3, 3, 1), np.random.default_rng(0))
    assert unclear.low < 0 < unclear.high
    assert unclear.high - unclear.low > 0.8


def test_figures_are_those_of_the_records() -> None:
    random = np.random.default_rng(0)
    values, weights = random.random((2, 30)), random.random((2, 30))
    values[:, 3] = np.nan
    row = Scored(values, weights, power=2)
    expected = [
        np.average(v[~np.isnan(v)] ** 2, weights=w[~np.isnan(v)]) ** 0.5 for v, w in zip(values, weights, strict=True)
    ]
    side = Measured([row], Grouping(np.arange(30), np.arange(30)))
    assert side.figures(np.ones(30), [np.ones(2)]) == pytest.approx(np.mean(expected))


def test_images_are_drawn_by_background_and_object() -> None:
    side = measured([0.5], 0.1, 1, 0)
    random = np.random.default_rng(0)
    counts = np.stack([side.resampled(random) for _ in range(2000)])
    np.testing.assert_allclose(counts.mean(0), 1, atol=0.15)
    ids = side.grouping.backgrounds
    drawn = counts.reshape(-1, 10, 12)  # objects, backgrounds
    assert all((np.linalg.matrix_rank(table) <= 1) for table in drawn[:20]), "a product of two draws"
    assert len(np.unique(ids)) == 12
