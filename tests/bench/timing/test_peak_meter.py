"""Of a GPU the peak is the model's: samples, rendering and cuDNN's trials are left out; a stage has its own."""

import pytest
import torch

from bench.timing.memory import PeakMeter

MIB = 2**20


class Allocator:
    """torch's counters of a card's memory, set by hand, in MiB."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held = self.peak = 0.0
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: self.held * MIB)
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: self.peak * MIB)
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: self.reset())

    def reset(self) -> None:
        self.peak = self.held

    def work(self, most: float, kept: float = 0.0) -> None:
        """Allocate ``most`` for a while, and keep ``kept`` of it."""
        self.peak = max(self.peak, self.held + most)
        self.held += kept


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Allocator:
    return Allocator(monkeypatch)


def test_samples_and_their_rendering_are_left_out(card: Allocator) -> None:
    card.work(5000, kept=5000)  # of an earlier run, still held
    meter = PeakMeter(torch.device("cuda"))
    card.work(40, kept=40)  # the model
    with meter.set_aside():
        card.work(9000, kept=6000)
    card.work(300)
    assert meter.mib == pytest.approx(340)
    with meter.set_aside():
        card.work(0, kept=-6000)  # make room
        card.work(8000, kept=7000)
    card.work(100)
    assert meter.mib == pytest.approx(340)


def test_trials_of_algorithms_are_left_out(card: Allocator) -> None:
    meter = PeakMeter(torch.device("cuda"))
    with meter.set_aside():
        card.work(100, kept=100)
    card.work(4000)
    meter.settle()
    card.work(250)
    assert meter.mib == pytest.approx(250)


def test_each_stage_has_its_own_and_of_its_epochs_the_greatest(card: Allocator) -> None:
    meter = PeakMeter(torch.device("cuda"))
    for stage, most, validating in (("64 px", 200, 600), ("64 px", 150, 0), ("192 px", 900, 0), ("192 px", 100, 0)):
        if stage in meter.stages:
            meter.begin_part()
        else:
            with meter.set_aside():
                pass
        card.work(most)
        meter.end_stage(stage)
        card.work(validating)
    assert meter.stages == pytest.approx({"64 px": 200, "192 px": 900})
    assert meter.mib == pytest.approx(900)
    assert meter.kind == "allocator"


def test_on_a_processor_there_are_no_trials() -> None:
    meter = PeakMeter(torch.device("cpu"))
    held = torch.ones(16 * MIB)
    before = meter.mib
    meter.settle()
    assert meter.mib >= before > 0
    del held
