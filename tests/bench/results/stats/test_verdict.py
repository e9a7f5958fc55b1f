"""Verdicts and seed counts: known values, and agreement with what really happens with more seeds."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.results.stats.bootstrap import Scored, Side, paired_bootstrap
from bench.results.stats.seeds import least_p, more_seeds, t_quantile
from bench.results.stats.verdict import Finding, judge


def finding(shift: list[float], noise: float = 0.01, margin: float = 0.0, better: bool = True) -> Finding:
    """A is B plus a shift a seed, and a little noise an image."""
    random = np.random.default_rng(0)
    b = random.uniform(0.4, 0.6, size=(len(shift), 200))
    a = b + np.array(shift)[:, None] + random.normal(0, noise, size=b.shape)
    one, other = paired_bootstrap(Scored(a), Scored(b), np.arange(200))
    return judge(one, other, better, margin)


def test_the_four_answers() -> None:
    assert finding([0.05, 0.06, 0.05]).verdict == "better"
    assert finding([0.05, 0.06, 0.05], better=False).verdict == "worse"
    assert finding([-0.05, -0.06, -0.05]).verdict == "worse"
    assert finding([0.05, -0.05, 0.01]).verdict == "cannot separate"
    assert finding([0.002, -0.002, 0.001], margin=0.01).verdict == "equal"


def test_a_real_but_negligible_difference_is_equal() -> None:
    found = finding([0.003, 0.003, 0.003], noise=0.001, margin=0.01)
    assert found.low > 0
    assert found.verdict == "equal"


def test_a_finding_says_what_it_rests_on() -> None:
    found = finding([0.01, 0.03, 0.02], noise=0.0)
    assert found.effect == pytest.approx(0.02)
    assert (found.seed_low, found.seed_high) == pytest.approx((0.01, 0.03))
    assert found.a - found.b == pytest.approx(0.02)
    assert found.least_p == 0.25
    assert found.for_these_seeds_only
    assert found.more_seeds == 0


def test_relative_change() -> None:
    draws = np.full(100, 0.9)
    a, b = Side(draws[:2], draws, draws), Side(draws[:2] * 2, draws * 2, draws * 2)
    found = judge(a, b, higher_is_better=False, margin=0.01, relative=True)
    assert (found.effect, found.low, found.high) == pytest.approx((-0.5, -0.5, -0.5))
    assert found.verdict == "better"
    with pytest.raises(ValueError, match="0"):
        judge(a, Side(draws[:2] * 0, draws * 0, draws * 0), higher_is_better=True, margin=0, relative=True)


@pytest.mark.parametrize("seeds", range(1, 8))
def test_the_least_p_is_that_of_all_sign_flips(seeds: int) -> None:
    effects = np.arange(1, seeds + 1)  # the strongest there is: all on one side
    flips = np.array(list(product([-1, 1], repeat=seeds))) @ effects
    assert least_p(seeds) == np.mean(np.abs(flips) >= effects.sum())


@pytest.mark.parametrize("freedom", [2, 3, 4, 6, 10, 30, 199])
def test_student_quantile(freedom: int) -> None:
    assert t_quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.04)


def test_seeds_that_would_settle_it() -> None:
    effects = np.array([0.01, -0.004, 0.008])
    needed = more_seeds(effects, image_sd=0.0, margin=0.0)
    assert needed is not None
    seeds, sd = needed + 3, effects.std(ddof=1)

    def half(n: int) -> float:
        return float(stats.t.ppf(0.975, n - 1)) * sd / np.sqrt(n)

    assert half(seeds) < effects.mean() * 1.04
    assert half(seeds - 1) > effects.mean() * 0.96


def test_no_number_of_seeds_makes_up_for_too_few_images() -> None:
    assert more_seeds(np.array([0.01, 0.011, 0.009]), image_sd=0.02, margin=0.0) is None
    assert more_seeds(np.array([0.01]), image_sd=0.0, margin=0.0) is None
    assert more_seeds(np.array([1e-4, 1, -1]), image_sd=0.0, margin=0.0, limit=50) == 47


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6), st.floats(0, 0.5), st.floats(0, 0.2))
def test_a_wider_margin_never_needs_more_seeds(effects: list[float], image_sd: float, margin: float) -> None:
    narrow = more_seeds(np.array(effects), image_sd, margin, limit=60)
    wide = more_seeds(np.array(effects), image_sd, margin + 0.5, limit=60)
    assert narrow is None or (wide is not None and wide <= narrow)
