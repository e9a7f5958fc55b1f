"""The variance that test images bring, held to loops over groups and to what is known of special cases."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.results.stats.grouping import Grouping, correction


def looped(residuals: np.ndarray, ids: list) -> float:
    """The factor from the whole matrix, by which it is derived."""
    groups = sorted(set(ids))
    total = sum(sum(r for r, i in zip(residuals, ids, strict=True) if i == group) ** 2 for group in groups)
    return matrix(ids)[0] * total / len(residuals) ** 2


def matrix(ids: list) -> tuple[float, float]:
    share = np.array([ids.count(group) / len(ids) for group in sorted(set(ids))])
    centred = np.eye(len(share)) - np.outer(np.ones(len(share)), share)
    whole = centred.T @ np.diag(share**2) @ centred
    return (share**2).sum() / np.trace(whole), np.trace(whole) ** 2 / np.trace(whole @ whole)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.floats(-1, 1)), min_size=6, max_size=30))
def test_is_what_a_loop_over_groups_gives(images: list[tuple[int, int, float]]) -> None:
    backgrounds, objects = [b for b, _, _ in images], [o for _, o, _ in images]
    residuals = np.array([r for *_, r in images])
    residuals = residuals - residuals.mean()
    assume(len(set(backgrounds)) > 1 and len(set(objects)) > 1)
    a, b = looped(residuals, backgrounds), looped(residuals, objects)
    both = looped(residuals, list(zip(backgrounds, objects, strict=True)))
    grouping = Grouping(np.array(backgrounds), np.array(objects))
    assert grouping.variance(residuals) == pytest.approx(max(a + b - both, a, b), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=30).filter(lambda ids: len(set(ids)) > 1))
def test_the_correction_is_that_of_the_whole_matrix(ids: list[int]) -> None:
    assert correction(np.array(ids)) == pytest.approx(matrix(ids))
    groups = len(set(ids))
    assert 1 - 1e-9 <= correction(np.array(ids))[1] <= groups - 1 + 1e-9


@pytest.mark.parametrize("groups", [2, 3, 17])
def test_even_groups_have_the_usual_correction(groups: int) -> None:
    assert correction(np.repeat(np.arange(groups), 4)) == pytest.approx((groups / (groups - 1), groups - 1))


def test_uneven_groups_are_not_biased() -> None:
    random = np.random.default_rng(0)
    ids = random.choice(30, size=200, p=(1 / np.arange(1, 31)) / (1 / np.arange(1, 31)).sum())
    effects = random.normal(size=(4000, 30))[:, ids]
    mean = effects.mean(1)
    found = Grouping(ids, 0 * ids).variance(effects - mean[:, None])
    assert found.mean() == pytest.approx(mean.var(), rel=0.05)
    assert Grouping(ids, np.arange(200)).few == [f"{len(set(ids.tolist()))} backgrounds, worth 4"]


def test_an_image_a_group_is_the_plain_variance_of_a_mean() -> None:
    residuals = np.random.default_rng(0).normal(size=50)
    residuals -= residuals.mean()
    grouping = Grouping(np.arange(50), np.arange(50))
    assert grouping.variance(residuals) == pytest.approx(residuals.var(ddof=1) / 50)
    assert grouping.freedom == pytest.approx(49)


def test_many_at_once_are_each_by_itself() -> None:
    random = np.random.default_rng(0)
    grouping = Grouping(random.integers(5, size=30), random.integers(4, size=30))
    many = random.normal(size=(3, 2, 30))
    single = [[grouping.variance(row) for row in rows] for rows in many]
    np.testing.assert_allclose(grouping.variance(many), single)


def test_order_and_names_of_groups_do_not_matter() -> None:
    random = np.random.default_rng(0)
    backgrounds, objects, residuals = random.integers(5, size=30), random.integers(4, size=30), random.normal(size=30)
    order = random.permutation(30)
    expected = Grouping(backgrounds, objects).variance(residuals)
    assert Grouping(backgrounds[order] - 100, 7 * objects[order]).variance(residuals[order]) == pytest.approx(expected)
    assert Grouping(objects, backgrounds).variance(residuals) == pytest.approx(expected)


def test_a_single_group_says_nothing() -> None:
    grouping = Grouping(np.zeros(12, dtype=int), np.arange(12) % 3)
    residuals = np.arange(12.0) - 5.5
    assert grouping.single == ["background"]
    assert grouping.freedom == pytest.approx(2)
    assert grouping.variance(residuals) == pytest.approx(looped(residuals, list(grouping.objects)))
    alone = Grouping(np.zeros(12, dtype=int), np.zeros(12, dtype=int))
    assert (alone.freedom, alone.variance(residuals)) == (0, 0)
    assert alone.single == ["background", "object"]


def test_few_groups_are_named() -> None:
    grouping = Grouping(np.arange(24) % 12, np.arange(24) % 4)
    assert grouping.few == ["4 objects"]
    assert grouping.counts == {"backgrounds": 12, "objects": 4}
    assert Grouping(np.zeros(3, dtype=int), np.arange(3)).few == ["1 background", "3 objects"]


def test_sums_by_group() -> None:
    grouping = Grouping(np.array([5, 2, 5]), np.array([1, 1, 1]))
    backgrounds, objects = grouping.sums(np.array([1.0, 2.0, 3.0]))
    assert (backgrounds.tolist(), objects.tolist()) == ([2, 4], [6])


def test_ids_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="every image needs both"):
        Grouping(np.arange(3), np.arange(4))


def test_objects_that_are_grouped_as_their_backgrounds_are_not_counted_beside_them() -> None:
    """As those without names are: there is nothing of which there are two."""
    ids = np.array([0, 0, 1, 1])
    assert Grouping(ids, ids + 5).shown == {"backgrounds": 2}
    assert Grouping(ids, ids).few == ["2 backgrounds"]
    assert Grouping(ids, np.array([0, 1, 1, 0])).shown == {"backgrounds": 2, "objects": 2}
    assert Grouping(ids, 0 * ids).few == ["2 backgrounds", "1 object"]
