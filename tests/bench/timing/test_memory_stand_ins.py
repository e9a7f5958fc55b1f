"""Peaks of memory where the system, or the card, reports them otherwise or not at all."""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench.timing import memory
from bench.timing.memory import PeakMeter, keep_freed, peak_mib, reset_peak

CPU, CARD = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture
def status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str | None], None]:
    """Sets what the system says of the process; None for a system that says nothing."""
    path = tmp_path / "status"
    monkeypatch.setattr(memory, "_STATUS", path)
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "nowhere" / "clear_refs")

    def say(text: str | None) -> None:
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)

    return say


@pytest.mark.parametrize(
    ("text", "mib"),
    [("VmPeak: 9 kB\nVmHWM:\t  20480 kB\nVmRSS: 1 kB\n", 20.0), ("VmRSS: 1 kB\n", 300.0), ("", 300.0), (None, 300.0)],
)
def test_the_peak_of_a_process(
    status: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch, text: str | None, mib: float
) -> None:
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=300 * 1024))
    status(text)
    assert peak_mib(CPU) == mib


@pytest.mark.parametrize("line", ["VmRSS: 2048 kB", "VmRSS:\t2048 kB", "VmRSSX: 1 kB\nVmRSS: 2048 kB"])
def test_a_line_of_the_status(status: Callable[[str | None], None], line: str) -> None:
    status(line + "\n")
    assert memory._status_mib("VmRSS") == 2.0


@pytest.mark.parametrize("text", [None, "", "VmRSS: much\n", "VmHWM: 3 kB\n"])
def test_a_status_without_that_line(status: Callable[[str | None], None], text: str | None) -> None:
    status(text)
    assert memory._status_mib("VmRSS") is None


def test_where_the_system_says_nothing_the_peak_is_of_the_whole_process(
    status: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    peaks = iter([100, 100, 250, 250])
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=next(peaks) * 1024))
    status(None)
    meter = PeakMeter(CPU)
    assert meter.kind == "process"
    with meter.set_aside():
        pass
    assert meter.mib == 100
    meter.end_stage("64 px")
    assert meter.stages == {"64 px": 100}
    meter.settle()
    assert meter.mib == 250


def test_growth_is_over_what_was_held_before_and_without_what_was_set_aside(
    status: Callable[[str | None], None],
) -> None:
    def held(resident: int, peak: int) -> None:
        status(f"VmHWM: {peak * 1024} kB\nVmRSS: {resident * 1024} kB\n")

    held(100, 100)
    meter = PeakMeter(CPU)
    assert (meter.kind, meter.mib) == ("growth", 0)
    held(130, 150)
    assert meter.mib == 50
    with meter.set_aside():
        held(200, 200)  # 70 for samples
    assert meter.mib == 50, "samples are not the work's"
    held(210, 240)
    assert meter.mib == 70
    meter.end_stage("64 px")
    held(210, 230)
    meter.end_stage("64 px")
    assert meter.stages == {"64 px": 70}, "of its epochs the greatest counts"
    held(90, 95)
    meter.begin_part()
    assert meter.mib == 50, "what was highest before samples were set aside stays"


def test_other_c_libraries_keep_their_own_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: asked.append(name) or SimpleNamespace())
    keep_freed(CPU)
    reset_peak(CPU)
    assert asked == [None, None]
    keep_freed(CARD)
    assert len(asked) == 2, "a card's allocator keeps what is freed by itself"


def test_what_is_set_aside_is_so_even_where_it_fails(status: Callable[[str | None], None]) -> None:
    status("VmHWM: 1024 kB\nVmRSS: 1024 kB\n")
    meter = PeakMeter(CPU)
    with pytest.raises(ZeroDivisionError), meter.set_aside():
        status("VmHWM: 9216 kB\nVmRSS: 5120 kB\n")
        raise ZeroDivisionError
    assert meter._base == 5
