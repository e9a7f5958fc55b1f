"""What images contribute: their mean is the figure, their spread its variance."""

import numpy as np
import pytest

from bench.results.stats.scored import Scored

RANDOM = np.random.default_rng(0)
VALUES = RANDOM.uniform(0.1, 1, (3, 40))
WEIGHTS = RANDOM.uniform(0, 2, (3, 40))


def figure(values: np.ndarray, weights: np.ndarray, power: int) -> float:
    return float((np.nansum(weights * values**power) / weights[~np.isnan(values)].sum()) ** (1 / power))


def test_of_a_plain_mean_they_are_the_values() -> None:
    scored = Scored(VALUES)
    np.testing.assert_allclose(scored.contributions(scored.defined), VALUES)


@pytest.mark.parametrize("power", [1, 2, 3])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_their_mean_is_the_figure(weights: np.ndarray | None, power: int) -> None:
    values = VALUES.copy()
    values[0, :5] = np.nan
    scored = Scored(values, weights, power)
    expected = [
        figure(v, w, power) for v, w in zip(values, np.ones((3, 40)) if weights is None else weights, strict=True)
    ]
    np.testing.assert_allclose(scored.contributions(scored.defined).mean(1), expected)


def test_their_spread_is_what_leaving_images_out_shows() -> None:
    """The jackknife needs no derivative and gives the same variance, but for terms of order 1 / images."""
    scored = Scored(VALUES[:1], WEIGHTS[:1], 2)
    parts = scored.contributions(scored.defined)[0]
    out = [figure(np.delete(VALUES[0], i), np.delete(WEIGHTS[0], i), 2) for i in range(40)]
    jackknife = 39 / 40 * ((np.array(out) - np.mean(out)) ** 2).sum()
    assert parts.var(ddof=1) / 40 == pytest.approx(jackknife, rel=0.05)


def test_an_image_of_no_weight_is_not_defined() -> None:
    weights = WEIGHTS.copy()
    weights[1, 3] = 0
    assert not Scored(VALUES, weights).defined[1, 3]
    assert Scored(VALUES, weights).defined.sum() == 119


def test_perfect_errors_do_not_divide_by_zero() -> None:
    scored = Scored(np.zeros((2, 5)), None, 2)
    np.testing.assert_array_equal(scored.contributions(scored.defined), 0)


def test_some_images_alone() -> None:
    images = np.arange(40) < 7
    chosen = Scored(VALUES, WEIGHTS, 2).only(images)
    assert chosen.values.shape == chosen.weights.shape == (3, 7)
    assert chosen.power == 2
