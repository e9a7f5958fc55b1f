"""The simulation of the scheduler: everything is made, and workers are as busy as arithmetic allows."""

import pytest

from bench.devtools.scheduling import simulate


def test_one_worker_is_always_busy_and_many_are_done_sooner() -> None:
    grid = (5, 2, 3)
    one, four = simulate(1, grid, driver=0.0), simulate(4, grid, driver=0.0)
    assert one.busy == pytest.approx(1.0)
    assert one.hours / 4 <= four.hours < one.hours / 2
    assert four.busy == pytest.approx(one.hours / 4 / four.hours)


def test_the_driver_saturates_when_records_take_too_long() -> None:
    grid = (5, 4, 3)
    assert simulate(30, grid, driver=60.0).driver > 5 * simulate(30, grid, driver=1.0).driver
