"""The sentinel sees what a fake kernel and a fake NVML show, says what it cannot see, and counts what it discards."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bench.timing.clocks import ClockSampler, Discards, GpuReading, ProcessorReading, Reading, discards

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
TICK = 1 / os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
WINDOW = 10.0
"""Seconds: long, so that a tick is little."""


@dataclass
class Machine:
    """A kernel with counters in files; times in seconds of all cores together."""

    folder: Path
    pressure: bool = True
    now: float = 0.0
    own: float = 0.0
    user: float = 50.0
    system: float = 5.0
    steal: float = 1.0
    waited: float = 3.0

    def __post_init__(self) -> None:
        if self.pressure:
            (self.folder / "pressure").mkdir()
        self.write()

    def write(self) -> None:
        user, system, steal = (round(x / TICK) for x in (self.user, self.system, self.steal))
        (self.folder / "stat").write_text(f"cpu  {user} 0 {system} 999 8 0 7 {steal} 4 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n")
        if self.pressure:
            (self.folder / "pressure" / "cpu").write_text(
                f"some avg10=0.00 avg60=0.00 avg300=0.00 total={round(1e6 * self.waited)}\n"
                "full avg10=0.00 avg60=0.00 avg300=0.00 total=77\n"
            )

    def window(
        self, own: float = 0.0, others: float = 0.0, steal: float = 0.0, waited: float = 0.0
    ) -> ProcessorReading:
        """What a window is read as in which so much of the cores' time was taken, in shares."""
        sampler = ClockSampler(CPU, proc=self.folder, own_seconds=lambda: self.own, clock=lambda: self.now)
        sampler.begin()
        whole = CORES * WINDOW
        self.now, self.own, self.waited = self.now + WINDOW, self.own + own * whole, self.waited + waited * WINDOW
        self.user += (own + others / 2) * whole
        self.system += others / 2 * whole
        self.steal += steal * whole
        self.write()
        sampler.look()
        reading = sampler.end()
        assert isinstance(reading, ProcessorReading)
        return reading


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_shares_are_of_all_cores(machine: Machine) -> None:
    reading = machine.window(own=0.6, others=0.07, steal=0.013, waited=0.25)
    assert reading.seconds == pytest.approx(WINDOW)
    assert reading.others == pytest.approx(0.07, abs=3e-3)
    assert reading.stolen == pytest.approx(0.013, abs=2e-3)
    assert reading.waited == pytest.approx(0.25)
    assert reading.blind is None and reading.disturbed is None


@pytest.mark.parametrize(
    ("taken", "reason"),
    [
        ({"own": 1.0}, None),
        ({"own": 0.5, "others": 0.095}, None),
        ({"own": 0.5, "others": 0.12, "waited": 0.1}, "load of other processes"),
        ({"own": 0.5, "others": 0.12, "waited": 0.01}, None),  # they had a core that was free
        ({"own": 0.5, "steal": 0.018}, None),
        ({"own": 0.5, "steal": 0.03}, "time stolen by the hypervisor"),
        ({"others": 0.5, "steal": 0.03}, "time stolen by the hypervisor"),
    ],
)
def test_load_and_steal_disturb(machine: Machine, taken: dict[str, float], reason: str | None) -> None:
    assert machine.window(**taken).disturbed == reason


@pytest.mark.parametrize(
    ("column", "kind"),
    [*enumerate(["others"] * 3 + ["nothing"] * 2 + ["others"] * 2 + ["stolen"] + ["nothing"] * 2)],
)
def test_which_column_is_what(tmp_path: Path, column: int, kind: str) -> None:
    """User, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice; guests are in user and nice too."""
    ticks = [1000] * 10
    stat = tmp_path / "stat"
    stat.write_text("cpu  " + " ".join(map(str, ticks)) + "\n")
    seconds = iter([0.0, 0.0, 10.0])
    sampler = ClockSampler(CPU, proc=tmp_path, own_seconds=lambda: 0.0, clock=lambda: next(seconds))
    sampler.begin()
    ticks[column] += round(CORES * 5 / TICK)
    stat.write_text("cpu  " + " ".join(map(str, ticks)) + "\n")
    reading = sampler.end()
    assert isinstance(reading, ProcessorReading)
    assert reading.others == pytest.approx(0.5 * (kind == "others"))
    assert reading.stolen == pytest.approx(0.5 * (kind == "stolen"))


def test_what_may_be_rounding_does_not_disturb() -> None:
    surely = ProcessorReading(0.05, stolen=0.0, others=0.29, stolen_error=0.1, others_error=0.2)
    assert surely.disturbed is None
    assert ProcessorReading(0.05, stolen=0.0, others=0.31, stolen_error=0.1, others_error=0.2).disturbed is not None
    assert ProcessorReading(0.05, stolen=0.1, others=0.0, stolen_error=0.1, others_error=0.2).disturbed is None


def test_own_time_is_never_counted_twice(machine: Machine) -> None:
    machine.own += 1.0
    sampler = ClockSampler(CPU, proc=machine.folder, own_seconds=lambda: machine.own, clock=lambda: machine.now)
    machine.own, machine.now = machine.own + 5, machine.now + 5  # ours, and not in the counters yet
    reading = sampler.end()
    assert isinstance(reading, ProcessorReading) and reading.others == 0.0


def test_without_pressure_nobody_says_who_waited(tmp_path: Path) -> None:
    assert Machine(tmp_path, pressure=False).window(own=0.5, waited=0.5).waited is None


def test_a_kernel_may_refuse_to_tell_pressure(machine: Machine) -> None:
    (machine.folder / "pressure" / "cpu").write_text("")
    machine.pressure = False
    assert machine.window(own=0.5).waited is None


@pytest.mark.parametrize("text", [None, "", "intr 5\n", "cpu  1 2 3 4\n", "cpu  a b c d e f g h\n"])
def test_blind_without_counters(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "stat").write_text(text)
    sampler = ClockSampler(CPU, proc=tmp_path)
    sampler.begin()
    sampler.look()
    reading = sampler.end()
    assert reading.blind is not None and "stat" in reading.blind and reading.disturbed is None


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs Linux")
def test_on_this_machine() -> None:
    sampler = ClockSampler(CPU)
    sampler.begin()
    end = time.perf_counter() + 0.05
    while time.perf_counter() < end:
        pass
    reading = sampler.end()
    assert isinstance(reading, ProcessorReading)
    assert reading.seconds >= 0.05 and reading.others is not None and 0 <= reading.others < 2
    assert reading.stolen is not None and reading.stolen >= 0


def test_descriptors_are_given_back(machine: Machine) -> None:
    def count() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs Linux")
    before = count()
    for _ in range(20):
        ClockSampler(CPU, proc=machine.folder)
    assert count() <= before + 2


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


def watched(nvml: FakeNvml) -> GpuReading:
    sampler = ClockSampler(CUDA, nvml=nvml)
    sampler.begin()
    reading = sampler.end()
    assert isinstance(reading, GpuReading)
    return reading


def test_a_gpu_at_work() -> None:
    reading = watched(FakeNvml())
    assert (reading.sm_mhz, reading.default_mhz, reading.temperature, reading.watts) == (1700, 1800, 61, 412.5)
    assert reading.others == 0 and reading.disturbed is None and reading.blind is None
    assert not (reading.thermal or reading.hardware or reading.power_capped)


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
    reading = watched(FakeNvml(reasons=bits))
    assert reading.disturbed == reason
    assert reading.power_capped == (bits == 0x4)


@pytest.mark.parametrize(("mhz", "slow"), [(1350, False), (1349, True)])
def test_three_quarters_of_the_default_clock(mhz: int, slow: bool) -> None:
    assert (watched(FakeNvml(mhz=mhz)).disturbed is not None) == slow


def test_a_slow_clock_by_the_power_limit_says_so() -> None:
    assert watched(FakeNvml(mhz=900, reasons=0x4)).disturbed == "SM clock under 75% of default by the power limit"


def test_without_an_application_clock_the_highest_counts() -> None:
    assert watched(FakeNvml(default=None)).default_mhz == 1980
    assert watched(FakeNvml(default=None, highest=None, mhz=100)).disturbed is None


def test_an_idle_clock_says_nothing() -> None:
    reading = watched(FakeNvml(mhz=345, reasons=0x1))
    assert reading.sm_mhz is None and reading.disturbed is None
    assert reading.blind == "the GPU was idle whenever it was looked at"


def test_the_lowest_clock_of_all_looks_counts_and_is_forgotten() -> None:
    nvml = FakeNvml(mhz=1000)
    sampler = ClockSampler(CUDA, nvml=nvml)
    sampler.begin()
    sampler.look()
    nvml.mhz, nvml.reasons = 345, 0x1  # after the synchronisation
    assert sampler.end().disturbed == "SM clock under 75% of default"
    nvml.mhz, nvml.reasons = 1800, 0
    sampler.begin()
    assert sampler.end().disturbed is None


def test_every_look_counts() -> None:
    nvml = FakeNvml(mhz=1600, reasons=0x40)
    sampler = ClockSampler(CUDA, nvml=nvml)
    sampler.begin()
    sampler.look()
    nvml.mhz, nvml.reasons = 1800, 0x4
    reading = sampler.end()
    assert isinstance(reading, GpuReading)
    assert reading.sm_mhz == 1600 and reading.thermal and reading.power_capped


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
    sampler.look()
    reading = sampler.end()
    assert reading.blind == reason and reading.disturbed is None


def test_blind_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    blind = ClockSampler(CUDA).end().blind
    assert blind is not None and "[gpu]" in blind


def test_discards_are_counted_by_reason() -> None:
    good, hot, slow = GpuReading(1.0), GpuReading(1.0, thermal=True), GpuReading(1.0, hardware=True)
    found = discards([slow, good, hot, hot, good])
    assert found == Discards(count=3, kept=2, reasons={"thermal throttling": 2, "hardware slowdown": 1})
    assert found.sentence() == "3 of 5 measurements discarded: thermal throttling (2), hardware slowdown (1)"
    assert discards([good]).sentence() == "0 of 1 measurements discarded"


def test_discards_say_what_was_not_watched() -> None:
    found = discards([Reading(1.0, blind="no NVML"), Reading(1.0, blind="no NVML")])
    assert (found.count, found.kept, found.blind) == (0, 2, "no NVML")
    assert found.sentence() == "disturbances not watched for: no NVML"
    assert Discards.model_validate_json(found.model_dump_json()) == found


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
        sampler.look()
        reading = sampler.end()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    if reading.blind is None:
        assert isinstance(reading, GpuReading)
        assert reading.sm_mhz is not None and 100 < reading.sm_mhz < 5000
        assert reading.default_mhz is not None and reading.watts is not None and 10 < reading.watts < 2000
