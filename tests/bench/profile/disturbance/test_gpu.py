"""NVML: what a fake GPU shows is seen while it works, and what NVML refuses is told of."""

import gc
import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bench.profile.disturbance import alongside
from bench.profile.disturbance.gpu import GpuObservation
from bench.profile.disturbance.monitor import ClockSampler
from tests.bench.threads import Threads

CUDA = torch.device("cuda")


class _Error(Exception):
    pass


@dataclass
class FakeNvml:
    """NVML as it answers for one GPU; None is an answer it refuses."""

    mhz: int | None = 1700
    default: int | None = 1800
    highest: int | None = 1980
    reasons: int | None = 0
    processes: int | None = 1
    starts: bool = True
    mig: bool = False
    asked: list[str] = field(default_factory=list)
    NVMLError: type[Exception] = _Error

    def nvmlInit(self) -> None:
        if not self.starts:
            raise _Error("Insufficient Permissions")

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        self.asked.append(uuid)
        if uuid.startswith("GPU") and self.mig:
            raise _Error("Not Found")
        return uuid

    def __getattr__(self, name: str) -> Any:
        if name not in self._answers():
            raise AttributeError(name)

        def answer(handle: str, *_: int) -> Any:
            assert handle in self.asked, "asked of another device"
            found = self._answers()[name]
            if found is None:
                raise _Error("Not Supported")
            return found

        return answer

    def _answers(self) -> dict[str, Any]:
        running = None if self.processes is None else [SimpleNamespace(pid=i) for i in range(self.processes)]
        return {
            "nvmlDeviceGetClockInfo": self.mhz,
            "nvmlDeviceGetDefaultApplicationsClock": self.default,
            "nvmlDeviceGetMaxClockInfo": self.highest,
            "nvmlDeviceGetCurrentClocksEventReasons": self.reasons,
            "nvmlDeviceGetPowerUsage": 412_500,
            "nvmlDeviceGetTemperature": 61,
            "nvmlDeviceGetComputeRunningProcesses": running,
        }


@pytest.fixture(autouse=True)
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        properties = SimpleNamespace(uuid="0badcafe-0000")
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)


def watched(nvml: FakeNvml) -> GpuObservation:
    sampler = ClockSampler(CUDA, nvml=nvml)
    sampler.begin()
    observation = sampler.end()
    assert isinstance(observation, GpuObservation)
    return observation


def test_a_gpu_at_work() -> None:
    observation = watched(FakeNvml())
    assert (observation.sm_mhz, observation.default_mhz, observation.temperature, observation.watts) == (
        1700,
        1800,
        61,
        412.5,
    )
    assert observation.others == 0 and observation.disturbed is None and observation.unobserved is None
    assert not (observation.thermal or observation.hardware or observation.power_capped)


@pytest.mark.parametrize(
    ("bits", "reason"),
    [
        (0x2, None),
        (0x4, None),
        (0x10, None),
        (0x8, "hardware slowdown"),
        (0x80, "hardware slowdown"),
        (0x20, "thermal throttling"),
        (0x40 | 0x8, "thermal throttling"),
    ],
)
def test_heat_and_hardware_disturb_a_power_limit_does_not(bits: int, reason: str | None) -> None:
    observation = watched(FakeNvml(reasons=bits))
    assert observation.disturbed == reason
    assert observation.power_capped == (bits == 0x4)


@pytest.mark.parametrize(("mhz", "slow"), [(1350, False), (1349, True)])
def test_three_quarters_of_the_default_clock(mhz: int, slow: bool) -> None:
    assert (watched(FakeNvml(mhz=mhz)).disturbed is not None) == slow


def test_a_slow_clock_by_the_power_limit_says_so() -> None:
    assert watched(FakeNvml(mhz=900, reasons=0x4)).disturbed == "SM clock under 75% of default by the power limit"


def test_without_an_application_clock_the_highest_counts() -> None:
    assert watched(FakeNvml(default=None)).default_mhz == 1980
    assert watched(FakeNvml(default=None, highest=None, mhz=100)).disturbed is None


def test_an_idle_clock_says_nothing() -> None:
    observation = watched(FakeNvml(mhz=345, reasons=0x1))
    assert observation.sm_mhz is None and observation.disturbed is None
    assert observation.unobserved == "the GPU was idle at every sample"


def test_the_lowest_clock_of_all_samples_counts_and_is_forgotten() -> None:
    nvml = FakeNvml(mhz=1000)
    sampler = ClockSampler(CUDA, nvml=nvml)
    sampler.begin()
    sampler.sample()
    nvml.mhz, nvml.reasons = 345, 0x1  # after the synchronisation
    assert sampler.end().disturbed == "SM clock under 75% of default"
    nvml.mhz, nvml.reasons = 1800, 0
    sampler.begin()
    assert sampler.end().disturbed is None


def test_every_sample_counts() -> None:
    nvml = FakeNvml(mhz=1600, reasons=0x40)
    sampler = ClockSampler(CUDA, nvml=nvml)
    sampler.begin()
    sampler.sample()
    nvml.mhz, nvml.reasons = 1800, 0x4
    observation = sampler.end()
    assert isinstance(observation, GpuObservation)
    assert observation.sm_mhz == 1600 and observation.thermal and observation.power_capped


class _Thread:
    """In the place of a window's steps: waits for what the sampling thread does, and keeps who asked NVML."""

    def __init__(self, nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
        self.askers: list[str] = []
        answers = nvml._answers

        def asked() -> dict[str, Any]:
            self.askers.append(threading.current_thread().name)
            return answers()

        monkeypatch.setattr(nvml, "_answers", asked)

    def until_asked(self, times: int) -> None:
        """Wait until NVML was asked so many times more."""
        wanted, end = len(self.askers) + times, time.monotonic() + 60
        while len(self.askers) < wanted:
            assert time.monotonic() < end
            time.sleep(0.001)


def test_a_thread_samples_and_the_window_never_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alongside, "_EVERY", 0.001)
    nvml = FakeNvml(mhz=1000)
    sampler = ClockSampler(CUDA, nvml=nvml, alongside=True)
    thread = _Thread(nvml, monkeypatch)
    for mhz, disturbed in ((1000, "SM clock under 75% of default"), (1800, None)):
        nvml.mhz = mhz
        sampler.begin()
        thread.until_asked(20)  # several samples of five questions
        sampler.sample()
        observation = sampler.end()
        assert isinstance(observation, GpuObservation)
        assert (observation.sm_mhz, observation.disturbed) == (mhz, disturbed)
        assert (observation.watts, observation.others) == (412.5, 0)
    assert {*thread.askers} == {"NVML"}


def test_a_window_too_short_for_a_sample_says_so_and_an_unneeded_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alongside, "_AT_WORK", 60.0)
    threads = Threads()
    sampler = ClockSampler(CUDA, nvml=FakeNvml(), alongside=True)
    assert not threads.begun()
    sampler.begin()
    observation = sampler.end()
    assert (observation.unobserved, observation.disturbed) == ("no sample fell into so short a window", None)
    (thread,) = threads.begun()
    assert thread.name == "NVML" and thread.daemon
    del sampler
    gc.collect()
    thread.join(60)
    assert not thread.is_alive()


def test_other_processes_on_the_gpu() -> None:
    assert watched(FakeNvml(processes=3)).others == 2
    assert watched(FakeNvml(processes=0)).others == 0
    assert watched(FakeNvml(processes=None)).others is None


def test_handle_is_sought_once_and_by_uuid() -> None:
    nvml = FakeNvml(mig=True)
    sampler = ClockSampler(CUDA, nvml=nvml)
    for _ in range(3):
        sampler.begin()
        sampler.end()
    assert [uuid.partition("-")[0] for uuid in nvml.asked] == ["GPU", "MIG"]


@pytest.mark.parametrize(
    ("nvml", "reason"),
    [
        (FakeNvml(starts=False), "NVML: Insufficient Permissions"),
        (FakeNvml(mhz=None, reasons=None), "NVML tells neither clocks nor throttling of this device"),
    ],
)
def test_blind_where_nvml_does_not_answer(nvml: FakeNvml, reason: str) -> None:
    sampler = ClockSampler(CUDA, nvml=nvml)
    sampler.begin()
    sampler.sample()
    observation = sampler.end()
    assert observation.unobserved == reason and observation.disturbed is None


def test_blind_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    unobserved = ClockSampler(CUDA).end().unobserved
    assert unobserved is not None and "[gpu]" in unobserved


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_real_gpu_at_work() -> None:
    pytest.importorskip("pynvml")
    sampler = ClockSampler(CUDA)
    x = torch.rand(4096, 4096, device=CUDA)
    torch.cuda.synchronize()
    sampler.begin()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(300):
            x = (x @ x).clamp(0, 1)
        sampler.sample()
        observation = sampler.end()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    if observation.unobserved is None:
        assert isinstance(observation, GpuObservation)
        assert observation.sm_mhz is not None and 100 < observation.sm_mhz < 5000
        assert observation.default_mhz is not None and observation.watts is not None and 10 < observation.watts < 2000
