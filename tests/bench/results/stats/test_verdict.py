"""Verdicts: what the interval says, the same from either side."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.results.stats.difference import Difference
from bench.results.stats.grouping import Grouping
from bench.results.stats.pairing import Pairing
from bench.results.stats.scored import Scored
from bench.results.stats.verdict import MetricComparison, judge, lacking

GROUPING = Grouping(np.arange(40) % 12, np.arange(40) % 11)
OPPOSITE = {"better": "worse", "worse": "better"}


def found(
    a: np.ndarray, b: np.ndarray, margin: float = 0.01, higher: bool = True, grouping: Grouping = GROUPING
) -> MetricComparison:
    pairing = Pairing(tuple(range(len(a))), tuple(range(len(b))), paired=len(a) == len(b))
    return judge(Difference.of(Scored(a), Scored(b), grouping, pairing), higher, margin)


def values(seeds: int, mean: float, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng([seed, int(1000 * mean)])
    return mean + noise * random.normal(size=(seeds, 40)) + noise * random.normal(size=(seeds, 1))


def test_better_worse_equal_and_neither() -> None:
    assert found(values(5, 0.8), values(5, 0.6)).verdict == "better"
    assert found(values(5, 0.8), values(5, 0.6), higher=False).verdict == "worse"
    assert found(values(5, 0.8), values(5, 0.81), margin=0.2).verdict == "equal"
    undecided = found(values(2, 0.8), values(2, 0.81))
    assert undecided.verdict == "cannot separate"
    assert undecided.more is not None


def test_a_real_difference_of_no_account_is_equal() -> None:
    assert found(values(9, 0.80, 1e-4), values(9, 0.81, 1e-4), margin=0.02).verdict == "equal"


def test_one_seed_or_one_background_gives_no_verdict() -> None:
    single = found(values(1, 0.9), values(1, 0.1))
    assert (single.verdict, single.more, single.seeds) == ("no verdict", None, 1)
    assert single.high > single.low
    room = found(values(3, 0.9), values(3, 0.1), grouping=Grouping(np.zeros(40, dtype=int), GROUPING.objects))
    assert (room.verdict, room.few) == ("no verdict", ("1 background",))
    assert room.high > room.low


def test_few_groups_are_said() -> None:
    few = found(values(3, 0.9), values(3, 0.1), grouping=Grouping(np.arange(40) % 4, GROUPING.objects))
    assert (few.verdict, few.few) == ("better", ("4 backgrounds",))
    assert few.high - few.low > found(values(3, 0.9), values(3, 0.1)).error


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.floats(0.1, 0.95),
    st.floats(-0.1, 0.1),
    st.floats(0, 0.2),
    st.booleans(),
    st.integers(0, 9),
)
def test_the_verdict_does_not_depend_on_which_is_a(
    a: int, b: int, mean: float, apart: float, share: float, higher: bool, seed: int
) -> None:
    x, y = values(a, mean, seed=seed), values(b, mean + apart, seed=seed + 100)
    margin = lacking(share, float(x.mean()), float(y.mean()), 1.0)
    assert margin == pytest.approx(lacking(share, float(y.mean()), float(x.mean()), 1.0))
    forth, back = found(x, y, margin, higher), found(y, x, margin, higher)
    assert back.verdict == OPPOSITE.get(forth.verdict, forth.verdict)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low))
    assert back.p == pytest.approx(forth.p)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_margin_is_a_share_of_what_both_lack(share: float, a: float, b: float) -> None:
    assert lacking(share, a, b, 1.0) == pytest.approx(share * (1 - (a + b) / 2))
    assert lacking(share, a, b, 0.0) == pytest.approx(share * (a + b) / 2)


def test_the_seeds_alone() -> None:
    a, b = values(3, 0.8), values(3, 0.7)
    by_seed = (a - b).mean(1)
    finding = found(a, b)
    assert (finding.seed_low, finding.seed_high) == pytest.approx((by_seed.min(), by_seed.max()))
    assert (finding.a, finding.b) == pytest.approx((a.mean(), b.mean()))
