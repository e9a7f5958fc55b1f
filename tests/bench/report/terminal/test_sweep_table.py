"""How a sweep is shown: a table on a terminal, lines elsewhere."""

import os
import pty
import re
from collections.abc import Iterator

import pytest
from rich.console import Console

from bench.report.terminal.sweep_table import SweepTable
from bench.run.sweep.agenda import Agenda
from bench.run.sweep.estimate import Estimate
from bench.run.sweep.scheduler import Scheduler
from tests.bench.run.sweep.made_up import Clock, MemoryTaskRecords, ScriptedExecutor, task

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def script(made) -> list:
    if made.spec.model == "wnet":
        return [(0, "waiting", {}), (5, "acquired", {}), (9, "ended", {"status": -9})]
    progress = {"what": "training", "done": 3, "total": 8, "rate": 123.4}
    return [(1, "progress", progress), (4, "recorded", {"path": "x"}), (4, "ended", {"status": 0})]


def sweep(table: SweepTable) -> Scheduler:
    clock = Clock()
    tasks = [((0, place), task(model)) for place, model in enumerate(("unet", "wnet"))]
    executor = ScriptedExecutor(clock, script)
    scheduler = Scheduler(Agenda(tasks), executor, MemoryTaskRecords(), listener=table, clock=clock)
    scheduler.run()
    return scheduler


@pytest.fixture
def terminal() -> Iterator[tuple[int, Console]]:
    """A real terminal: its other end, and a console on it."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    with os.fdopen(slave, "w") as file:
        yield master, Console(file=file, width=100, force_terminal=None, legacy_windows=False)
    os.close(master)


def read(master: int) -> str:
    content = b""
    try:
        while chunk := os.read(master, 2**16):
            content += chunk
    except BlockingIOError:
        pass
    return content.decode()


def test_a_terminal_shows_what_runs_and_keeps_a_line_for_what_ended(terminal: tuple[int, Console]) -> None:
    master, console = terminal
    assert console.is_terminal
    shown = ""
    with SweepTable(console, Estimate("here")) as table:
        tick = table.tick

        def ticked(scheduler: Scheduler) -> None:
            nonlocal shown
            tick(scheduler)
            shown += read(master)

        table.tick = ticked  # type: ignore[method-assign]
        scheduler = sweep(table)
    shown += read(master)
    text = ESCAPE.sub("", shown)
    assert re.search(r"unet x bce_ssim, seed 0 +training +3/8 +123", text)
    assert re.search(r"wnet x bce_ssim, seed 0 +waiting for the device", text)
    assert "1 running, 1 done, 0 failed, 1 left, eta" in text
    assert "finished: unet x bce_ssim, seed 0" in text
    assert "killed: wnet x bce_ssim, seed 0" in text
    assert "started:" not in text
    assert -1 < shown.find("\x1b[?25l") < shown.rfind("\x1b[?25h")  # the cursor is hidden, and comes back
    assert table.summary(scheduler) == "0 running, 1 done, 1 failed, 0 left"


def test_a_pipe_gets_a_line_for_each_run_that_starts_and_ends(capsys: pytest.CaptureFixture) -> None:
    with SweepTable(Console(width=100), Estimate("here")) as table:
        sweep(table)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["started", "finished", "started", "killed"]
    assert lines[3].endswith("its process was ended by SIGKILL")
