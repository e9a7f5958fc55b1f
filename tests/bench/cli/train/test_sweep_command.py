"""``bench sweep`` as a command: how it ends, and what it says then."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.devtools.soak import checks
from bench.devtools.soak.process import Process, finish, start
from bench.results import store
from tests.bench.run.sweep.forked_server import fork_servers

OWN = "tests.bench.run.sweep.test_sweep:Hanging"
WORDS = (
    *("sweep", "--loss", "mask: bce", "--data", "tests.bench.rectangles:Rectangles", "--no-baselines", "--size", "32"),
    *(
        "--batch",
        "8",
        "--epochs",
        "1",
        "--val-samples",
        "8",
        "--test-samples",
        "8",
        "--device",
        "cpu",
        "--threads",
        "1",
    ),
)


@pytest.fixture
def forked_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    fork_servers(monkeypatch)


def until(process: Process, condition: Callable[[], bool]) -> None:
    """Wait until something holds, or fail."""
    end = time.monotonic() + 200
    while not condition():
        process.step()
        assert process.status is None, process.text
        assert time.monotonic() < end, process.text
        time.sleep(0.05)


def trains(folder: Path) -> bool:
    """Whether the first step has begun: listeners were called."""
    return any((folder / "runs").rglob("events.*"))


def signalled(folder: Path, words: list[str], *numbers: int) -> Process:
    """Begin, and send the signals as soon as a run trains."""
    process = start(folder, [*WORDS, *words])
    until(process, lambda: trains(folder))
    for place, number in enumerate(numbers):
        process.signals = [(0.0, number)]
        if place:
            time.sleep(1.0)
        process.step()
    finish([process])
    assert "Traceback" not in process.text
    assert [*checks.processes_gone(folder), *checks.records_whole(folder / "results")] == []
    return process


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_step_and_says_how_to_go_on(
    tmp_path: Path, forked_servers: None, number: int, status: int
) -> None:
    process = signalled(tmp_path, ["--model", "unet[width=4]", "--train-samples", "8000"], number)
    assert process.status == status, process.text
    assert process.text.splitlines()[-1] == "bench: stopped with 1 run left; the same command goes on"
    assert [*(tmp_path / "runs").rglob("last.pt")]
    checks.age(tmp_path / "results")
    assert not [fault for fault in checks.no_strays(tmp_path) if "checkpoint" not in fault]


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    words = ["--model", f"{OWN}[does=hang]", "--train-samples", "16"]
    process = signalled(tmp_path, words, signal.SIGINT, signal.SIGINT)  # the step lasts ten minutes
    assert process.status == 130, process.text
    assert process.text.splitlines()[-1].startswith("bench: stopped; the same command goes on")
    assert not [*checks.no_strays(tmp_path)]


def test_failed_runs_are_listed_with_the_command_that_tries_them_again(tmp_path: Path, forked_servers: None) -> None:
    words = [*WORDS, "--model", f"{OWN}[does=raise]", "--model", "unet[width=4]", "--train-samples", "16"]
    process = start(tmp_path, words)
    finish([process])
    assert process.status == 4, process.text
    lines = process.text.splitlines()
    assert lines[-3] == "1 failed:"
    assert lines[-2].startswith(f"  failed: {OWN}[does=raise] x mask: bce, seed 0: ") and "in a step" in lines[-2]
    assert lines[-1].startswith("try these again: bench sweep --loss 'mask: bce' ")
    assert lines[-1].endswith(" --retry-failed")
    assert sorted(record.outcome for _, record in store.read_all(tmp_path / "results")) == ["failed", "finished"]
    assert not [*checks.page_whole(tmp_path / "leaderboard.md")]
