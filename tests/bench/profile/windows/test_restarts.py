"""Restarts: rounds of four windows, of which the disturbed ones are left out where others are left."""

from itertools import cycle

import pytest
import torch

from bench.profile import profile as profile_module
from bench.profile.disturbance.gpu import GpuObservation
from bench.profile.disturbance.observation import Observation, discards
from bench.profile.disturbance.processor import ProcessorObservation
from bench.profile.profile import profile
from bench.profile.windows import restarts
from bench.profile.windows.interval import Interval
from bench.profile.windows.restarts import Round, measure_restart, some_rounds, undisturbed
from bench.profile.windows.rounds import WarmUp
from bench.profile.windows.trust import caveats
from bench.timing.window import Window

WARM = WarmUp(windows=3, seconds=0.2, stationary=True)
QUIET = ProcessorObservation(0.2, stolen=0.0, others=0.01)
CROWDED = ProcessorObservation(0.2, stolen=0.0, others=0.4, waited=0.3)
STOLEN = ProcessorObservation(0.2, stolen=0.3, others=0.0)
HOT = GpuObservation(0.2, thermal=True)
SPARED = ProcessorObservation(0.2, stolen=0.0, others=0.4, waited=0.0)
"""Others took much of the cores, and nobody waited for one."""
BLIND = Observation(0.2, unobserved="no counters")


def restart(*observations: Observation) -> list[Round]:
    window = Window(steps=1, images=4, seconds=0.05, blocks=None)
    return [Round((window,) * 4, observation) for observation in observations]


def observations(kept: list[list[Round]]) -> list[list[Observation]]:
    return [[round.observation for round in row] for row in kept]


def test_disturbed_rounds_are_left_out() -> None:
    kept, forced = undisturbed([restart(QUIET, CROWDED, SPARED, STOLEN), restart(HOT, HOT, QUIET)])
    assert observations(kept) == [[QUIET, SPARED], [QUIET]]
    assert not forced


def test_a_restart_of_disturbed_rounds_alone_keeps_them_all() -> None:
    """Every restart has to have a say, as its places in memory are its own."""
    kept, forced = undisturbed([restart(CROWDED, STOLEN), restart(QUIET, CROWDED)])
    assert observations(kept) == [[CROWDED, STOLEN], [QUIET]]
    assert forced


def test_what_was_not_watched_is_kept() -> None:
    kept, forced = undisturbed([restart(BLIND, BLIND)])
    assert observations(kept) == [[BLIND, BLIND]]
    assert not forced


def test_nothing_but_disturbed_rounds_is_doubted() -> None:
    steady = Interval(value=1.0, low=0.99, high=1.01)
    (caveat,) = caveats(0.99, steady, WARM, discards([CROWDED, CROWDED, STOLEN]))
    assert "load of other processes (2), time stolen by the hypervisor (1)" in caveat


class Sampler:
    """A sentinel that sees every second window disturbed."""

    def __init__(self, device: torch.device) -> None:
        self.next, self.samples = cycle([CROWDED, QUIET]), 0

    def begin(self) -> None:
        self.samples = 0

    def sample(self) -> None:
        self.samples += 1

    def end(self) -> Observation:
        assert self.samples == 4, "a sample of each of a round's windows, while the device is at work"
        return next(self.next)


class Crowded(Sampler):
    """A sentinel that sees every window disturbed."""

    def end(self) -> Observation:
        return CROWDED


def test_a_restart_has_rounds_of_four_windows_and_a_reading_each(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarts, "ClockSampler", Sampler)
    runner = make()
    runner.ledger.seconds = 0.0  # windows of a single step
    measured_restarts = measure_restart(runner, seconds=0.0)
    assert [round.observation for round in measured_restarts.rounds] == [CROWDED, QUIET]
    for round in measured_restarts.rounds:
        assert all(window.blocks is None for window in round.plain)
        assert all(window.blocks for window in round.marked)
    assert [window for round in measured_restarts.rounds for window in round.windows] == runner.ledger.windows
    kept, _ = undisturbed([measured_restarts.rounds])
    assert kept == [[measured_restarts.rounds[1]]]


def test_rounds_added_for_the_perturbation_count_among_the_discarded(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarts, "ClockSampler", Sampler)
    monkeypatch.setattr(profile_module, "undecided", lambda perturbation: True)
    monkeypatch.setattr(profile_module, "some_rounds", lambda runner, seconds, least: some_rounds(runner, 0.0, 4))
    found, _ = profile(make(), seconds=0.0, restarts=1)
    assert (found.discarded.count, found.discarded.kept) == (1 + 2, 1 + 2)  # every second one of two, and of four
    assert found.rounds == found.discarded.kept


def test_where_all_rounds_are_disturbed_those_of_the_restarts_are_used_and_doubted(
    make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "ClockSampler", Crowded)
    monkeypatch.setattr(profile_module, "undecided", lambda perturbation: True)
    monkeypatch.setattr(profile_module, "some_rounds", lambda runner, seconds, least: some_rounds(runner, 0.0, 4))
    found, _ = profile(make(), seconds=0.0, restarts=1)
    assert (found.discarded.count, found.discarded.kept) == (2 + 4, 0)
    assert found.rounds == 2
    assert any("where a restart had no others they were used" in caveat for caveat in found.caveats)
