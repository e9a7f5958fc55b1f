"""Why not to trust a profile: each reason by itself, at its limit; and none where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.profile.windows.interval import Interval, grouped_interval, median_interval, ratio_interval
from bench.profile.windows.repeatability import agreement
from bench.profile.windows.rounds import WarmUp, rounds, warm_up
from bench.profile.windows.trust import caveats, undecided

CALM = Interval(value=1.002, low=0.999, high=1.005)
WARM = WarmUp(windows=4, seconds=2.0, stationary=True)
SOUND: dict[str, Any] = {"closure": 0.995, "perturbation": CALM, "warm": WARM}


def interval(low: float, value: float, high: float) -> Interval:
    return Interval(value=value, low=low, high=high)


def test_a_sound_profile_has_no_caveat() -> None:
    assert caveats(**SOUND) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"closure": 0.9799}, "only 98.0% of the step lies in named blocks (98 % is wanted)"),
        ({"closure": 1.4}, "the named blocks make up 140.0% of the step: some time was counted twice"),
        ({"closure": 1.0201}, "the named blocks make up 102.0% of the step: some time was counted twice"),
        ({"perturbation": interval(1.02, 1.03, 1.04)}, "measuring slows the step down by 3.0% (1 % is allowed)"),
        (
            {"perturbation": interval(0.99, 1.03, 1.07)},
            "measuring seems to slow the step down by 3.0%, between -1.0% and +7.0% (1 % is allowed): measure longer, "
            "on an idle machine",
        ),
        (
            {"perturbation": interval(0.94, 1.0, 1.02)},
            "the machine is too unsteady to measure what timing blocks costs (-6.0% to +2.0% of the step): measure "
            "longer, on an idle machine",
        ),
        (
            {"warm": WarmUp(windows=9, seconds=30.0, stationary=False)},
            "after 30 s of warm-up the step time still varied by more than 2 %",
        ),
        (
            {"departure": 6e-3, "rounding_spread": 1e-3},
            "the losses of the first steps are 6.0e-03 off those of --engine eager, which differ by 1.0e-03 when "
            "weights are rounded otherwise",
        ),
    ],
)
def test_each_reason_is_said_alone(changes: dict[str, Any], words: str) -> None:
    assert caveats(**{**SOUND, **changes}) == [words]


@pytest.mark.parametrize(
    "changes",
    [
        {"closure": 0.98},
        {"closure": 1.02},
        {"perturbation": interval(0.951, 1.01, 1.049)},
        {"departure": 5e-3, "rounding_spread": 1e-3},
        {"departure": 0.0},
    ],
)
def test_the_limit_itself_is_trusted(changes: dict[str, Any]) -> None:
    assert caveats(**{**SOUND, **changes}) == []


def test_all_reasons_are_said_together() -> None:
    warm = WarmUp(windows=9, seconds=30.0, stationary=False)
    assert len(caveats(0.5, interval(1.1, 1.2, 1.3), warm, departure=1.0)) == 4


@pytest.mark.parametrize(
    ("low", "high", "open_"), [(1.0, 1.005, False), (1.0, 1.02, True), (1.01, 1.02, True), (1.011, 1.02, False)]
)
def test_what_may_lie_on_either_side_is_undecided(low: float, high: float, open_: bool) -> None:
    assert undecided(interval(low, (low + high) / 2, high)) == open_


def test_warming_up_ends_when_two_windows_agree_but_never_before_three() -> None:
    paces = iter([1.0, 1.0, 2.0, 1.5, 1.51, 9.0])
    found = warm_up(lambda: next(paces), 1e9)
    assert (found.windows, found.stationary) == (5, True)
    steady = iter([1.0] * 9)
    assert warm_up(lambda: next(steady), 1e9).windows == 3


def test_warming_up_gives_up_when_its_time_is_over() -> None:
    paces = iter([2.0**place for place in range(20)])
    found = warm_up(lambda: next(paces), 0.0)
    assert (found.windows, found.stationary) == (3, False)


def test_rounds_go_a_b_b_a_so_that_a_drift_weighs_on_both_alike() -> None:
    order: list[str] = []
    clock = iter(range(100))

    def window(name: str) -> float:
        order.append(name)
        return float(next(clock))  # every window is slower than the one before

    pairs = rounds(lambda: window("a"), lambda: window("b"), 0.0, least=3)
    assert "".join(order) == "abba" * 3
    assert all(a == b for a, b in pairs) and len(pairs) == 3


POSITIVE = st.floats(0.01, 100)


@settings(max_examples=4)
@given(st.lists(st.lists(POSITIVE, min_size=1, max_size=5), min_size=1, max_size=6), st.floats(0.5, 2))
def test_intervals_hold_their_value_and_follow_the_unit(values: list[list[float]], unit: float) -> None:
    scaled = [[unit * value for value in row] for row in values]
    for of in (median_interval, grouped_interval):
        found, other = of(values), of(scaled)
        assert found.low <= found.value <= found.high
        assert [other.low, other.value, other.high] == pytest.approx(
            [unit * x for x in (found.low, found.value, found.high)]
        )


@settings(max_examples=4)
@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=9))
def test_a_ratio_turned_round_is_its_reciprocal(pairs: list[tuple[float, float]]) -> None:
    above, below = zip(*pairs, strict=True)
    there, back = ratio_interval(above, below), ratio_interval(below, above)
    assert there.low <= there.value <= there.high
    assert there.value == pytest.approx(1 / back.value)
    assert ratio_interval(above, above) == Interval(value=1.0, low=1.0, high=1.0)


def test_two_profiles_agree_where_nine_blocks_of_ten_overlap() -> None:
    first = {f"b{place}": interval(1, 2, 3) for place in range(10)} | {"only here": CALM}
    second = {name: interval(2.5, 3, 4) for name in first if name != "only here"}
    second["b0"] = interval(3.1, 4, 5)
    found = agreement(first, second)
    assert (found.blocks, found.apart, found.share) == (10, ("b0",), 0.9)
    assert found.sentence() == "twice: 9 of 10 blocks within their intervals; the two profiles agree; apart: b0"
    second["b1"] = interval(-5, -4, 0.9)
    assert "do not agree: measure longer, on an idle machine; apart: b0, b1" in agreement(first, second).sentence()
