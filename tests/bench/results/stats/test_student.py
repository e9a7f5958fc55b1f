"""Student's t, held to scipy.stats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.results.stats.student import half_width, two_sided_p

freedoms = st.floats(0.5, 500)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 100), freedoms, st.floats(0.5, 0.999))
def test_half_width_is_scipys(error: float, freedom: float, level: float) -> None:
    assert half_width(error, freedom, level) == pytest.approx(error * stats.t.ppf((1 + level) / 2, freedom), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(-10, 10), st.floats(1e-3, 10), freedoms)
def test_p_is_scipys(effect: float, error: float, freedom: float) -> None:
    assert two_sided_p(effect, error, freedom) == pytest.approx(2 * stats.t.sf(abs(effect / error), freedom), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(-10, 10), st.floats(1e-3, 10), freedoms)
def test_p_below_the_level_is_an_interval_without_0(effect: float, error: float, freedom: float) -> None:
    p = float(two_sided_p(effect, error, freedom))
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (abs(effect) > half_width(error, freedom))


def test_without_error() -> None:
    assert two_sided_p(0.0, 0.0, 2.0) == 1.0
    assert two_sided_p(0.1, 0.0, 2.0) == 0.0
    assert np.isfinite(half_width(0.0, 1.0))
