"""The sentinel asks the kernel or NVML, times its windows, passes samples on, and says when it observes nothing."""

import time
from pathlib import Path

import pytest
import torch

from bench.profile.disturbance import monitor
from bench.profile.disturbance.monitor import ClockSampler
from bench.profile.disturbance.observation import Observation
from bench.profile.disturbance.processor import ProcessorObservation

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


class Gauge:
    """Sees nothing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def begin(self) -> None:
        self.asked.append("begin")

    def sample(self) -> None:
        self.asked.append("sample")

    def end(self, seconds: float) -> Observation:
        self.asked.append("end")
        return Observation(seconds)


@pytest.mark.parametrize(("device", "name"), [(CPU, "ProcessorGauge"), (CUDA, "GpuGauge")])
def test_every_device_has_its_gauge(monkeypatch: pytest.MonkeyPatch, device: torch.device, name: str) -> None:
    gauges = {known: Gauge() for known in ("ProcessorGauge", "GpuGauge")}
    for known, gauge in gauges.items():
        monkeypatch.setattr(monitor, known, lambda *_, gauge=gauge: gauge)
    sampler = ClockSampler(device)
    sampler.begin()
    sampler.sample()
    sampler.sample()
    sampler.end()
    assert {known: gauge.asked for known, gauge in gauges.items() if gauge.asked} == {
        name: ["begin", "sample", "sample", "end"]
    }


def test_a_window_lasts_from_its_own_beginning(tmp_path: Path) -> None:
    seconds = iter([0.0, 1.0, 3.5, 10.0, 10.25])
    sampler = ClockSampler(CPU, proc=tmp_path, clock=lambda: next(seconds))
    lengths = []
    for _ in range(2):
        sampler.begin()
        lengths.append(sampler.end().seconds)
    assert lengths == [2.5, 0.25]


def test_what_cannot_be_seen_is_said(tmp_path: Path) -> None:
    observation = ClockSampler(CPU, proc=tmp_path / "none").end()
    assert type(observation) is Observation
    assert observation.unobserved == f"this system does not count processor time in {tmp_path}/none/stat"


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs Linux")
def test_on_this_machine() -> None:
    sampler = ClockSampler(CPU)
    sampler.begin()
    end = time.perf_counter() + 0.05
    while time.perf_counter() < end:
        pass
    observation = sampler.end()
    assert isinstance(observation, ProcessorObservation)
    assert observation.seconds >= 0.05 and observation.others is not None and 0 <= observation.others < 2
    assert observation.stolen is not None and observation.stolen >= 0
