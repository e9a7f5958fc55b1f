"""Schedules against their formulas, at every legal parameter and to their last step."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from registry.optimizers import optimizers
from registry.schedules import schedules
from tests.registry.keys_of import keys


def rates(key: str, steps: int, validation: list[float] | None = None) -> list[float]:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = optimizers.build("sgd[lr=1.0]")([weight])
    schedule = schedules.build(key)(optimizer, steps)
    values = []
    if validation is None:
        for _ in range(steps):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
    else:
        for loss in validation:
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.epoch(loss)
    return values


def test_cosine() -> None:
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * i / 8)) / 2 for i in range(8)]
    assert rates("cosine[floor=0.1]", 8) == pytest.approx(expected)


def test_onecycle_peaks_once_and_ends_low() -> None:
    values = rates("onecycle[warmup=0.25]", 100)
    assert max(values) == pytest.approx(1.0, abs=1e-3)
    assert values.index(max(values)) == pytest.approx(25, abs=1)
    assert values[0] < 0.05
    assert values[-1] < 1e-3


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.2, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("steps", range(1, 14))
def test_onecycle_of_few_steps(steps: int, warmup: float) -> None:
    values = rates(f"onecycle[warmup={warmup}]", steps)
    assert all(0 < rate <= 1 for rate in values)


def test_step_and_constant() -> None:
    assert rates("step[every=2,gamma=0.5]", 0, [1.0] * 5) == pytest.approx([1, 1, 0.5, 0.5, 0.25])
    assert rates("constant", 0, [1.0] * 7) == [1.0] * 7


def test_plateau_waits_for_validation() -> None:
    assert rates("plateau[patience=1,factor=0.1]", 0, [1.0, 0.9, 0.9, 0.9, 0.9]) == pytest.approx([1, 1, 1, 1, 0.1])


@pytest.mark.parametrize("name", schedules.names())
@settings(max_examples=40, deadline=None)
@given(data=st.data(), epochs=st.integers(1, 12), steps=st.integers(1, 5))
def test_every_legal_schedule_gives_a_rate_to_its_last_step(
    name: str, data: st.DataObject, epochs: int, steps: int
) -> None:
    key = data.draw(keys(schedules.get(name), {"gamma": 1}))
    optimizer = optimizers.build("sgd[lr=1.0]")([nn.Parameter(torch.zeros(1))])
    schedule = schedules.build(key)(optimizer, epochs * steps)
    for _ in range(epochs):
        for _ in range(steps):
            assert 0 <= optimizer.param_groups[0]["lr"] < math.inf, key  # a gamma above 1 is legal, and grows
            optimizer.step()
            schedule.step()
        schedule.epoch(1.0)
