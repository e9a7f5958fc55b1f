"""A soak of a few cases, in a process of its own, and what it does with a fault."""

import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from bench.devtools.soak import commands, scenarios
from bench.devtools.soak.process import Process
from bench.devtools.soak.scenarios import Found
from bench.devtools.soak.soak import soak


def test_a_case(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    script = [sys.executable, "-W", "ignore", "-m", "bench.devtools.soak", "600", "--only", "3", "--scenario", "killed"]
    done = subprocess.run(script, capture_output=True, text=True, cwd=root, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 cases of " in done.stdout and ": 0 with faults" in done.stdout


def test_a_fault_is_kept_with_its_commands_and_a_case_depends_on_its_number_alone(tmp_path: Path, monkeypatch) -> None:
    drawn: dict[str, float] = {}

    def faulty(folder: Path, draw: random.Random) -> Found:
        drawn[folder.name] = draw.random()
        (folder / "kept.txt").write_text("")
        faults = ["something"] if folder.name == "case1" else []
        return Found("ended", faults, [Process(["run", "x"], folder, 0, 0, [], output=b"words", status=1)])

    for name in ("TMPDIR", "RAY_TMPDIR"):  # as they are again after the test
        monkeypatch.setenv(name, tempfile.gettempdir())
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(scenarios, "SCENARIOS", {})
    from bench.devtools.soak import soak as module

    monkeypatch.setattr(module, "SCENARIOS", {"made up": (faulty, 1)})
    monkeypatch.setattr(module, "_prepare", lambda folder: None)
    tally = soak(tmp_path, 0.5, seed=3, progress=lambda tally, left: None)
    assert tally.cases == Counter({("made up", "ended"): len(drawn)}) and len(drawn) > 2
    (fault,) = tally.faults
    assert fault.startswith("case 1 of seed 3, made up: something") and fault.endswith("$ bench run x\nwords")
    assert [path.name for path in tmp_path.iterdir()] == ["case1"]
    assert "1 with faults" in tally.table()
    first = drawn["case1"]
    (tmp_path / "again").mkdir()
    soak(tmp_path / "again", 5, seed=3, only=1)
    assert drawn["case1"] == first


@pytest.mark.parametrize("make", [commands.valid, commands.failing, commands.invalid])
def test_commands_give_no_option_twice(make) -> None:
    for seed in range(50):
        words = make(random.Random(seed))
        options = [word for word in words if word.startswith("--")]
        assert len({*options}) == len(options)
