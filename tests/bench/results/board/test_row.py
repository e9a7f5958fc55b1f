"""`Row`: its figures are those of the standard library; of records that contradict each other the first stays."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.record import Score
from bench.results.board.row import Row, settled
from tests.bench.records import record


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_mean_and_spread_are_those_of_the_standard_library(values: list[float]) -> None:
    made = {seed: (f"r{seed}", record(seed=seed, dice=value)) for seed, value in enumerate(values)}
    row = Row("unet", "bce_ssim", made)
    assert row.values("mask_dice") == values
    assert row.mean("mask_dice") == statistics.fmean(values)
    expected = statistics.stdev(values) if len(values) > 1 else None
    assert row.spread("mask_dice") == (expected if expected is None else pytest.approx(expected, rel=1e-12, abs=1e-15))
    assert row.values("mask_iou") == [] and row.mean("mask_iou") is None and row.spread("mask_iou") is None


def test_seeds_without_a_value_do_not_count() -> None:
    made = {seed: (f"r{seed}", record(seed=seed, dice=dice)) for seed, dice in enumerate([0.5, None, 0.7])}
    assert Row("unet", "bce_ssim", made).values("mask_dice") == [0.5, 0.7]


def test_pooled_machines_count_by_their_means() -> None:
    here = {seed: (f"h{seed}", record(seed=seed, dice=dice)) for seed, dice in enumerate([0.5, 0.7])}
    there = Row("unet", "bce_ssim", {0: ("t", record(dice=0.9))})
    assert Row("unet", "bce_ssim", here, elsewhere=(there,), pooled=True).values("mask_dice") == [
        pytest.approx(0.6),
        0.9,
    ]


def test_other_bits_by_the_same_code_raise_an_alarm_and_the_first_stays() -> None:
    first, again, other = (record(dice=dice, finished=f"2026-01-0{i}") for i, dice in enumerate((0.8, 0.8, 0.9), 1))
    assert settled([("b", again), ("a", first)]) == ({0: ("a", first)}, [])
    kept, alarms = settled([("c", other), ("b", again), ("a", first)])
    assert kept == {0: ("a", first)}
    assert len(alarms) == 1 and "a, which counts, and c" in alarms[0]


def test_on_a_gpu_bits_may_differ() -> None:
    first = record(finished="2026-01-01")
    gpu = first.environment.model_copy(update={"cuda": "13.0"})
    first = first.model_copy(update={"environment": gpu})
    other = first.model_copy(update={"finished": "2026-01-02", "test": {"mask_dice": Score(value=0.1, images=256)}})
    assert settled([("a", first), ("b", other)]) == ({0: ("a", first)}, [])


def test_the_newest_code_that_has_all_the_seeds_counts() -> None:
    def made(code: str, seed: int, day: int) -> tuple[str, object]:
        return f"{code}{seed}", record(seed=seed, code=code * 12, finished=f"2026-01-0{day}")

    old, new = [made("a", seed, 1) for seed in (0, 1)], [made("b", 0, 2)]
    assert [name for name, _ in settled([*old, *new])[0].values()] == ["a0", "a1"]
    assert [name for name, _ in settled([*old, *new, made("b", 1, 3)])[0].values()] == ["b0", "b1"]
    assert [name for name, _ in settled([*old[1:], *new])[0].values()] == ["b0", "a1"]
