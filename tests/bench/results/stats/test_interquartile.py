"""The interquartile mean, held to scipy."""

import numpy as np
import pytest
from scipy import stats

from bench.results.stats.interquartile import InterquartileMean


@pytest.mark.parametrize("seeds", [5, 6, 8, 11, 16])
def test_is_scipys_trimmed_mean_with_yuens_error(seeds: int) -> None:
    figures = np.random.default_rng(seeds).normal(0.8, 0.05, seeds)
    found = InterquartileMean.of(figures)
    assert found is not None
    assert found.mean == pytest.approx(stats.trim_mean(figures, 0.25))
    kept = seeds - 2 * (seeds // 4)
    # Against a sample of zeros, which has no variance, Yuen's statistic is the mean over its standard error.
    statistic = stats.ttest_ind(figures, np.zeros(seeds), equal_var=False, trim=0.25).statistic
    half = stats.t.ppf(0.975, kept - 1) * found.mean / statistic
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half))


def test_needs_five_seeds() -> None:
    assert InterquartileMean.of(np.arange(4.0)) is None


def test_one_unlucky_seed_moves_nothing() -> None:
    figures = np.array([0.80, 0.81, 0.82, 0.83, 0.84])
    unlucky = np.array([-9.0, 0.81, 0.82, 0.83, 0.84])
    assert InterquartileMean.of(figures) == InterquartileMean.of(unlucky)


def test_its_interval_holds_the_truth() -> None:
    random = np.random.default_rng(0)
    found = [InterquartileMean.of(random.normal(size=7)) for _ in range(1000)]
    covered = np.mean([mean.low <= 0 <= mean.high for mean in found if mean])
    assert 0.93 <= covered <= 0.985
