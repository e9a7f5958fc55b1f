"""The GPU script without a GPU: every part runs at tiny sizes; what breaks a part or its process costs that part."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch

from bench.core.machine import pick_device
from bench.devtools.gpu import __main__ as command
from bench.devtools.gpu import stages, workers
from bench.devtools.gpu.journal import Journal, read_lines
from bench.devtools.gpu.page import main as make_page
from bench.devtools.gpu.plan import COMMANDS, FIRST, TINY, PlannedPart, parts
from bench.devtools.gpu.worker import Setting, run_part

RUNS_ALONE = ("tests", "compiled")  # pytest within pytest; needs a compiler, and a minute


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(pick_device("cpu"), TINY, Journal(tmp_path / "gpu.jsonl", fresh=True), tmp_path)


@pytest.mark.parametrize("name", [name for name in parts() if name not in RUNS_ALONE])
def test_a_part_leaves_figures(setting: Setting, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(stages, "get_context", lambda method: get_context("fork"))  # what it must be has its own test
    assert run_part(name, setting) is False
    lines = setting.journal.lines()
    assert [line for line in lines if "error" in line] == []
    assert lines[0]["part"] == name and len(lines[0]) > 2
    assert lines[-1]["part"] == "time"


def test_a_part_that_raises_says_why_and_the_next_goes_on(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIRST, "broken", PlannedPart("machine:nothing_of_that_name", 1, ""))
    assert run_part("broken", setting) is False
    assert "nothing_of_that_name" in setting.journal.lines()[0]["error"]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Lets a few lines of Python be the worker, for each ``name`` of its parts; returns where its lines go."""

    def make(body: str) -> Path:
        worker = tmp_path / "worker.py"
        worker.write_text(
            "import os, subprocess, sys, time\n"
            "scratch = sys.argv[sys.argv.index('--scratch') + 1]\n"
            "for name in sys.argv[sys.argv.index('--out') + 2:]:\n"
            "    print('BEGIN', name, flush=True)\n"
            f"    {body}\n"
            "    print('DONE', name, flush=True)\n"
        )
        popen = workers.subprocess.Popen

        def start(words: list[str], **options: object) -> object:
            return popen([sys.executable, str(worker), *words[4:]], **options)  # type: ignore[call-overload]

        monkeypatch.setattr(workers.subprocess, "Popen", start)
        return tmp_path / "lines.jsonl"

    return make


def test_a_process_that_dies_costs_one_part(stand_in, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first part kills its process, the second hangs, the third is done."""
    out = stand_in("os._exit(7) if name == 'steps' else time.sleep(60) if name == 'loop' else 0")
    monkeypatch.setitem(FIRST, "loop", PlannedPart("runs:loop", 1.0, ""))
    assert command.main(["steps", "loop", "epoch", "--out", str(out), "--device", "cpu"]) == 1
    lines = read_lines(out)
    assert [line["part"] for line in lines] == ["steps", "loop", "end"]
    assert "ended with 7" in lines[0]["error"]
    assert lines[1]["error"].endswith("ended with -9 after 1 s, its limit")
    assert lines[-1]["failed"] == ["steps", "loop"]


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for its code does not."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


CHILD = (
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)']); "
    "open(os.path.dirname(__file__) + '/left', 'w').write(f'{child.pid} {scratch}'); "
)


def left(folder: Path) -> tuple[bool, bool]:
    """Whether what the worker started lives, and whether its scratch folder exists."""
    pid, _, scratch = (folder / "left").read_text().partition(" ")
    assert "gpu-" in scratch
    return alive(int(pid)), Path(scratch).exists()


@pytest.mark.parametrize("end", ["time.sleep(60)", "os._exit(7)", "0"], ids=["killed", "died", "done"])
def test_nothing_that_a_part_started_outlives_it(
    stand_in, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """It would compute beside the next part; and what it holds open is not waited for."""
    out = stand_in(CHILD + end)
    monkeypatch.setitem(FIRST, "tests", PlannedPart("marked_tests:tests", 1.5, ""))
    began = time.monotonic()
    command.main(["tests", "--out", str(out), "--device", "cpu"])
    assert left(tmp_path) == (False, False)
    assert time.monotonic() - began < 30


def test_nothing_outlives_the_command(stand_in, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C: the worker is ended, and the journal has its last line."""
    out = stand_in(CHILD + "print('a word', flush=True); time.sleep(60)")

    def interrupt(*words: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "print", interrupt, raising=False)
    with pytest.raises(KeyboardInterrupt):
        command.main(["tests", "--out", str(out), "--device", "cpu"])
    assert left(tmp_path) == (False, False)
    assert [line["part"] for line in read_lines(out)] == ["end"]


def test_a_command_that_is_terminated_ends_its_worker(tmp_path: Path) -> None:
    out = tmp_path / "lines.jsonl"
    words = [sys.executable, "-m", "bench.devtools.gpu", "machine", "--device", "cpu", "--tiny", "--out", str(out)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[4])
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        pytest.skip("needs Linux")
    until = time.monotonic() + 60
    while not (found := children.read_text().split()) and time.monotonic() < until:
        time.sleep(0.05)
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    assert found and not any(alive(int(pid)) for pid in found)
    assert read_lines(out)[-1]["part"] == "end"


def test_a_command_whose_time_is_over_says_so_and_ends_its_lines(stand_in) -> None:
    out = stand_in("time.sleep(60)")
    assert command.main(["loop", "epoch", "--out", str(out), "--device", "cpu", "--limit", "6"]) == 1
    lines = read_lines(out)
    assert [line["part"] for line in lines] == ["loop", "skipped", "end"]
    assert "as the time for everything was over" in lines[0]["error"]
    assert lines[1]["parts"] == ["epoch"] and lines[2]["failed"] == ["loop"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_runs_its_own_parts(
    stand_in, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = stand_in("print('met', name)")
    flags = [] if name == "first" else [f"--{name}"]
    assert command.main([*flags, "--out", str(out), "--device", "cpu"]) == 0
    met = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines() if line.startswith("met ")]
    assert met == list(COMMANDS[name])
    assert [line["part"] for line in read_lines(out)] == ["end"]


def test_stages_are_measured_in_processes_that_met_no_shape(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "first_steps", write_process)
    stages.stages(setting)
    met = [(line["model"], line["process"]) for line in setting.journal.lines()]
    assert [model for model, _ in met] == list(TINY.models[-2:])
    assert len({process for _, process in met} | {os.getpid()}) == 3


def write_process(setting: Setting, model: str) -> None:
    """A line with the process that it was written in."""
    setting.journal.line("stages", model=model, process=os.getpid())


def test_what_lay_in_memory_before_is_no_part_of_a_stage(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of MiB that a process holds before a stage begins; a tiny step needs less."""
    held = torch.ones(100 * 2**20)
    stages.first_steps(setting, TINY.models[-1])
    assert held.sum() > 0
    peaks = [mib for line in setting.journal.lines() for mib in line["peak_mib"]]
    assert len(peaks) == 9 and all(0 <= mib < 300 for mib in peaks), peaks


def test_a_signal_while_a_worker_starts_ends_it(stand_in, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be nobody's: the command is left before it knows of the process."""
    out, begun = stand_in("time.sleep(60)"), []
    start = workers.subprocess.Popen

    def interrupted(*words: object, **options: object) -> object:
        begun.append(start(*words, **options))
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # pytest may have threads; a command has none
        time.sleep(0.05)
        return begun[0]

    monkeypatch.setattr(workers.subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command.main(["tests", "--out", str(out), "--device", "cpu"])
    assert len(begun) == 1 and not alive(begun[0].pid)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()).isdisjoint({signal.SIGINT, signal.SIGTERM})


def test_a_process_that_crashes_says_where(tmp_path: Path) -> None:
    code = "import os, signal, sys; from bench.devtools.gpu import worker;"
    code += "worker.run_part = lambda *words: os.kill(os.getpid(), signal.SIGSEGV); worker.main()"
    options = ["--device", "cpu", "--out", str(tmp_path / "lines.jsonl"), "--scratch", str(tmp_path), "machine"]
    done = subprocess.run([sys.executable, "-c", code, *options], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGSEGV
    assert "Segmentation fault" in done.stderr and "worker.py" in done.stderr


def test_what_a_killed_process_left_unfinished_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    Journal(path, fresh=True).line("steps", ms=1.23456789, none=None, many=[float("inf")])
    path.write_text(path.read_text() + '{"part": "st')
    (line,) = read_lines(path)
    assert line == {"part": "steps", "ms": 1.2346, "none": None, "many": ["inf"]}
    assert json.dumps(line)


def test_the_page_is_made_of_the_lines(setting: Setting, tmp_path: Path) -> None:
    for name in ("machine", "steps", "departure", "rendering"):
        run_part(name, setting)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measured -->\nold\n<!-- /measured -->\nafter\n")
    assert make_page([str(tmp_path / "gpu.jsonl"), "--page", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| `unet[width=4]` | 4 |" in text and "| synthetic, still | 8 |" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(row.count("|") in {line.count("|") for line in rows} for row in rows)
