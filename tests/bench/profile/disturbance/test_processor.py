"""The kernel's counters: what a fake kernel shows is seen, rounding is not, and what is missing is told of."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from bench.profile.disturbance.monitor import ClockSampler
from bench.profile.disturbance.processor import ProcessorObservation

CPU = torch.device("cpu")
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
    ) -> ProcessorObservation:
        """What a window is read as in which so much of the cores' time was taken, in shares."""
        sampler = ClockSampler(CPU, proc=self.folder, own_seconds=lambda: self.own, clock=lambda: self.now)
        sampler.begin()
        whole = CORES * WINDOW
        self.now, self.own, self.waited = self.now + WINDOW, self.own + own * whole, self.waited + waited * WINDOW
        self.user += (own + others / 2) * whole
        self.system += others / 2 * whole
        self.steal += steal * whole
        self.write()
        sampler.sample()
        observation = sampler.end()
        assert isinstance(observation, ProcessorObservation)
        return observation


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_shares_are_of_all_cores(machine: Machine) -> None:
    observation = machine.window(own=0.6, others=0.07, steal=0.013, waited=0.25)
    assert observation.seconds == pytest.approx(WINDOW)
    assert observation.others == pytest.approx(0.07, abs=3e-3)
    assert observation.stolen == pytest.approx(0.013, abs=2e-3)
    assert observation.waited == pytest.approx(0.25)
    assert observation.unobserved is None and observation.disturbed is None


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
    observation = sampler.end()
    assert isinstance(observation, ProcessorObservation)
    assert observation.others == pytest.approx(0.5 * (kind == "others"))
    assert observation.stolen == pytest.approx(0.5 * (kind == "stolen"))


def test_what_may_be_rounding_does_not_disturb() -> None:
    surely = ProcessorObservation(0.05, stolen=0.0, others=0.29, stolen_error=0.1, others_error=0.2)
    assert surely.disturbed is None
    assert ProcessorObservation(0.05, stolen=0.0, others=0.31, stolen_error=0.1, others_error=0.2).disturbed is not None
    assert ProcessorObservation(0.05, stolen=0.1, others=0.0, stolen_error=0.1, others_error=0.2).disturbed is None


def test_own_time_is_never_counted_twice(machine: Machine) -> None:
    machine.own += 1.0
    sampler = ClockSampler(CPU, proc=machine.folder, own_seconds=lambda: machine.own, clock=lambda: machine.now)
    machine.own, machine.now = machine.own + 5, machine.now + 5  # ours, and not in the counters yet
    observation = sampler.end()
    assert isinstance(observation, ProcessorObservation) and observation.others == 0.0


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
    sampler.sample()
    observation = sampler.end()
    assert observation.unobserved is not None and "stat" in observation.unobserved and observation.disturbed is None


def test_descriptors_are_given_back(machine: Machine) -> None:
    def count() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs Linux")
    before = count()
    for _ in range(20):
        ClockSampler(CPU, proc=machine.folder)
    assert count() <= before + 2
