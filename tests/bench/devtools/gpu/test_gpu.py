"""The GPU script without a GPU: every part runs at tiny sizes; what breaks a part or its process costs that part."""

import json
import sys
from pathlib import Path

import pytest

from bench.core.machine import pick_device
from bench.devtools.gpu import __main__ as command
from bench.devtools.gpu.journal import Journal, read_lines
from bench.devtools.gpu.page import main as make_page
from bench.devtools.gpu.plan import FIRST, SECOND, TINY, PlannedPart
from bench.devtools.gpu.worker import Setting, run_part

RUNS_ALONE = ("tests", "compiled")  # pytest within pytest; needs a compiler, and a minute


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(pick_device("cpu"), TINY, Journal(tmp_path / "gpu.jsonl", fresh=True), tmp_path)


@pytest.mark.parametrize("name", [name for name in FIRST | SECOND if name not in RUNS_ALONE])
def test_a_part_leaves_figures(setting: Setting, name: str) -> None:
    assert run_part(name, setting) is False
    lines = setting.journal.lines()
    assert [line for line in lines if "error" in line] == []
    assert lines[0]["part"] == name and len(lines[0]) > 2
    assert lines[-1]["part"] == "time"


def test_a_part_that_raises_says_why_and_the_next_goes_on(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIRST, "broken", PlannedPart("machine:nothing_of_that_name", 1, ""))
    assert run_part("broken", setting) is False
    assert "nothing_of_that_name" in setting.journal.lines()[0]["error"]


def test_a_process_that_dies_costs_one_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in worker: the first part kills its process, the second hangs, the third is done."""
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import os, sys, time\n"
        "for name in sys.argv[sys.argv.index('--out') + 2:]:\n"
        "    print('BEGIN', name, flush=True)\n"
        "    if name == 'steps': os._exit(7)\n"
        "    if name == 'loop': time.sleep(60)\n"
        "    print('DONE', name, flush=True)\n"
    )
    popen = command.subprocess.Popen

    def stand_in(words: list[str], **options: object) -> object:
        return popen([sys.executable, str(worker), *words[4:]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(command.subprocess, "Popen", stand_in)
    monkeypatch.setitem(FIRST, "loop", PlannedPart("runs:loop", 1.0, ""))
    out = tmp_path / "lines.jsonl"
    assert command.main(["steps", "loop", "epoch", "--out", str(out), "--device", "cpu"]) == 1
    lines = read_lines(out)
    assert [line["part"] for line in lines] == ["steps", "loop", "end"]
    assert "ended with 7" in lines[0]["error"] and "ended with -9" in lines[1]["error"]
    assert lines[-1]["failed"] == ["steps", "loop"]


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
