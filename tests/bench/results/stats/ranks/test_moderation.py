"""Pooled seed variances: limits, and what cells were drawn from is found."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import polygamma

from bench.results.stats.ranks.moderation import Moderation, inverse_trigamma


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-4, 1e4))
def test_inverse_trigamma(number: float) -> None:
    assert inverse_trigamma(float(polygamma(1, number))) == pytest.approx(number, rel=1e-4)


def test_ends_of_the_inverse() -> None:
    assert inverse_trigamma(1e8) == pytest.approx(1e-4)
    assert inverse_trigamma(1e-8) == pytest.approx(1e8)


def test_few_cells_keep_their_own() -> None:
    moderation = Moderation.of(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0))
    assert moderation.moderate(2.0, 2.0) == (2.0, 2.0)
    assert Moderation.of(np.array([]), np.array([])).moderate(1.0, 1.0) == (1.0, 1.0)


def test_cells_that_do_not_differ_are_pooled() -> None:
    moderation = Moderation.of(np.full(5, 2.0), np.full(5, 2.0))
    assert math.isinf(moderation.freedom)
    assert moderation.moderate(1.0, 2.0) == (2.0, 10.0)


def test_a_cell_that_varies_more_is_believed() -> None:
    moderation = Moderation.of(np.full(5, 2.0), np.full(5, 2.0))
    assert moderation.moderate(9.0, 2.0)[0] == 9.0


def test_what_variances_were_drawn_from_is_found() -> None:
    random = np.random.default_rng(0)
    true = 0.5 * 8 / random.chisquare(8, 20000)  # scaled inverse chi squared: 0.5, worth 8 degrees of freedom
    drawn = true * random.chisquare(3, 20000) / 3
    moderation = Moderation.of(drawn, np.full(20000, 3.0))
    assert moderation.variance == pytest.approx(0.5, rel=0.03)
    assert moderation.freedom == pytest.approx(8, rel=0.1)


def test_a_baseline_without_variance_does_not_count() -> None:
    moderation = Moderation.of(np.array([0.0, 1.0, 1.0, 1.0, 1.0]), np.full(5, 2.0))
    assert moderation.variance == pytest.approx(1.0)
    assert moderation.ceiling == 8
