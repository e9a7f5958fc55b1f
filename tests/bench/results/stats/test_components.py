"""A mean taken apart: held to scipy where only seeds or only images vary, and to bounds elsewhere."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.results.stats.components import FLOOR, Components, combine, difference_of, joint_freedom
from bench.results.stats.grouping import Grouping

RANDOM = np.random.default_rng(0)
GROUPING = Grouping(RANDOM.integers(12, size=60), RANDOM.integers(15, size=60))


def noise(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape)


def test_seeds_alone_are_students_t() -> None:
    seeds = noise(4, 1) + np.zeros((4, 60))
    parts = Components.of(seeds, GROUPING)
    expected = stats.ttest_1samp(seeds[:, 0], 0)
    assert parts.mean / np.sqrt(parts.variance) == pytest.approx(expected.statistic)
    assert parts.freedom == pytest.approx(3)


def test_images_alone_are_students_t_over_images() -> None:
    images = np.zeros((3, 1)) + noise(60)
    parts = Components.of(images, Grouping(np.arange(60), np.arange(60)))
    expected = stats.ttest_1samp(images[0], 0)
    assert parts.mean / np.sqrt(parts.variance) == pytest.approx(expected.statistic)
    assert parts.freedom == pytest.approx(59)


def test_seeds_of_two_sides_are_welchs_t() -> None:
    a, b = noise(4, 1) + np.zeros(60), 3 * noise(4, 1) + np.zeros(60)
    parts = difference_of(Components.of(a, GROUPING), Components.of(b, GROUPING), np.zeros(()))
    expected = stats.ttest_ind(a[:, 0], b[:, 0], equal_var=False)
    assert parts.mean / np.sqrt(parts.variance) == pytest.approx(expected.statistic)
    assert parts.freedom == pytest.approx(expected.df)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 10), st.integers(1, 9), st.floats(0.1, 10), st.integers(1, 9))
def test_sides_of_unlike_numbers_have_fewer_degrees_of_freedom_than_welchs(a: float, m: int, b: float, n: int) -> None:
    found = joint_freedom(*(np.array(float(part)) for part in (a, m, b, n)))
    welch = (a + b) ** 2 / (a**2 / m + b**2 / n)
    assume(m != n)
    assert min(m, n) - 1e-9 <= found <= welch + 1e-9


@given(st.floats(0, 10), st.floats(0.1, 10), st.integers(1, 9))
def test_sides_of_as_many_seeds_have_welchs_degrees_of_freedom(a: float, b: float, n: int) -> None:
    found = joint_freedom(*(np.array(float(part)) for part in (a, n, b, n)))
    assert found == pytest.approx((a + b) ** 2 / (a**2 / n + b**2 / n))


def test_variances_are_right_on_average() -> None:
    """Over many draws each part is what it was drawn with; images are not counted again under each seed."""
    draws, seeds = 4000, 3
    data = 0.3 * noise(draws, seeds, 1) + 0.8 * noise(draws, 1, 60) + 0.9 * noise(draws, seeds, 60)
    parts = Components.of(data, Grouping(np.arange(60), np.arange(60)))
    assert parts.images.mean() == pytest.approx(0.8**2 / 60, rel=0.05)
    assert parts.seeds.mean() == pytest.approx((0.3**2 + 0.9**2 / 60) / seeds, rel=0.05)
    assert parts.interaction.mean() == pytest.approx(0.9**2 / 60 / seeds, rel=0.05)
    assert parts.mean.var() == pytest.approx(parts.variance.mean(), rel=0.1)


def test_many_at_once_are_each_by_itself() -> None:
    data = noise(5, 3, 60)
    many = Components.of(data, GROUPING)
    for number, single in enumerate(data):
        alone = Components.of(single, GROUPING)
        assert many.variance[number] == pytest.approx(alone.variance)
        assert many.freedom[number] == pytest.approx(alone.freedom)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 100), st.booleans())
def test_units_and_sign_do_not_matter(scale: float, flipped: bool) -> None:
    data = np.random.default_rng(1).normal(0.2, 1, (3, 60))
    factor = -scale if flipped else scale
    parts, scaled = Components.of(data, GROUPING), Components.of(factor * data, GROUPING)
    assert scaled.mean == pytest.approx(factor * parts.mean)
    assert scaled.variance == pytest.approx(factor**2 * parts.variance)
    assert scaled.freedom == pytest.approx(parts.freedom)


def test_seeds_that_agree_by_luck_are_not_believed() -> None:
    data = noise(2, 60)
    data -= data.mean(1, keepdims=True)
    parts = Components.of(data, GROUPING)
    assert parts.seeds == pytest.approx(FLOOR * parts.interaction)
    assert parts.seeds > 0


def test_one_seed_has_the_variance_of_images_alone() -> None:
    parts = Components.of(noise(1, 60), GROUPING)
    assert parts.seeds == parts.seed_freedom == 0
    assert parts.freedom == GROUPING.freedom
    assert 3 < GROUPING.freedom <= 11


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 10), st.floats(1, 50), st.floats(0, 10), st.integers(1, 200))
def test_freedom_lies_between(seeds: float, seed_freedom: float, images: float, image_freedom: int) -> None:
    found = combine(np.array(seeds), np.array(seed_freedom), np.array(images), image_freedom)
    assert min(seed_freedom, image_freedom) - 1e-6 <= found <= seed_freedom + image_freedom
    if images == 0:
        assert found == pytest.approx(seed_freedom)
    elif seeds == 0:
        assert found == pytest.approx(image_freedom)


def test_what_cannot_vary_does_not_count() -> None:
    zero = np.zeros(())
    assert combine(zero, zero, np.ones(()), 7) == 7
    assert combine(np.ones(()), np.array(2.0), zero, 0) == 2
    assert combine(zero, zero, zero, 0) == 0
    assert combine(zero, np.array(2.0), zero, 9) == 2
