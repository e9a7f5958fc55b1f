"""A timed run of a sweep has its device to itself; a plain run waits for its end, and says so."""

import multiprocessing
from pathlib import Path

import pytest

from bench.core.protocol import find_protocol
from bench.run import experiment
from bench.run.device_lock import hold_device
from bench.run.experiment import Experiment
from bench.train.events import Listener
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import SMALL


def hold(folder: Path, alone: bool, held, leave) -> None:
    with hold_device("cpu", alone, folder=folder):
        held.set()
        leave.wait(60)


@pytest.fixture
def held(tmp_path: Path):
    """Holds the device in another process until it is told to leave."""
    context = multiprocessing.get_context("fork")
    started = []

    def begin(alone: bool):
        taken, leave = context.Event(), context.Event()
        process = context.Process(target=hold, args=(tmp_path, alone, taken, leave))
        process.start()
        started.append((process, leave))
        assert taken.wait(60)
        return leave

    yield begin
    for process, leave in started:
        leave.set()
        process.join(60)
        assert process.exitcode == 0


@pytest.mark.parametrize(
    ("other", "alone", "waits"), [(True, True, 1), (True, False, 1), (False, True, 1), (False, False, 0)]
)
def test_who_is_alone_is_waited_for_and_waits_for_others(held, tmp_path: Path, other: bool, alone: bool, waits: int):
    leave, waited = held(other), []

    def waiting() -> None:
        waited.append(1)
        leave.set()

    with hold_device("cpu", alone, waiting, tmp_path):
        assert len(waited) == waits


def test_another_device_is_free(held, tmp_path: Path) -> None:
    held(True)
    with hold_device("cuda:0", True, lambda: pytest.fail("waits"), tmp_path):
        pass


def test_a_plain_run_says_that_it_waits(held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave, lines = held(True), []
    monkeypatch.setattr(
        experiment, "hold_device", lambda *given, **named: hold_device(*given, **named, folder=tmp_path)
    )

    def announce(text: str) -> None:
        lines.append(text)
        if "waiting" in text:
            leave.set()

    protocol = find_protocol("quick").override(**SMALL)
    made = Experiment(
        ["unet[width=4]"], "mask: bce", Rectangles(), protocol=protocol, seeds=[0], device="cpu", baselines=False,
        results=tmp_path / "results", runs=tmp_path / "runs",
    )  # fmt: skip
    ((record, _, _),) = made.run(Listener(), announce)
    assert record.outcome == "finished"
    assert "  a sweep times a run on cpu: waiting for its end" in lines
