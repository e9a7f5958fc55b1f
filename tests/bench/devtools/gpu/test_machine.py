"""The tests that want a GPU as a part of the GPU script: which files, and what is left of them when time runs out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.machine import pick_device
from bench.devtools.gpu import machine
from bench.devtools.gpu.journal import Journal
from bench.devtools.gpu.plan import FIRST, TINY, PlannedPart
from bench.devtools.gpu.worker import Setting

MARK = "import time, pytest\npytestmark = pytest.mark.cuda\n"


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Measures on two files of tests, one of them of kernels."""
    kernels = tmp_path / "tests" / "kernels"
    kernels.mkdir(parents=True)
    (tmp_path / "tests" / "test_quick.py").write_text(f"{MARK}def test_good(): pass\ndef test_bad(): assert 1 == 2\n")
    (tmp_path / "tests" / "test_none.py").write_text("def test_none(): pass\n")
    (kernels / "test_slow.py").write_text(f"{MARK}def test_first(): pass\ndef test_second(): time.sleep(100)\n")
    monkeypatch.setattr(machine, "_TESTS", (str(tmp_path / "tests"),))
    monkeypatch.setattr(machine, "_KERNELS", kernels)
    return Setting(pick_device("cpu"), TINY, Journal(tmp_path / "gpu.jsonl", fresh=True), tmp_path)


def test_a_test_that_fails_is_a_line(setting: Setting) -> None:
    machine.tests(setting)
    failure, whole = setting.journal.lines()
    assert failure["failed"].endswith("test_bad") and "1 == 2" in failure["reason"]
    assert (whole["of"], whole["run"], whole["failures"], whole["exit"]) == ("tests", 2, 1, 1)


def test_what_ran_in_time_is_written_down(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIRST, "tests-kernels", PlannedPart("machine:tests_kernels", 12, ""))
    with pytest.raises(TimeoutError, match="stopped after"):
        machine.tests_kernels(setting)
    (line,) = setting.journal.lines()
    assert (line["of"], line["run"], line["exit"]) == ("tests-kernels", 1, None)
    assert "test_second" in line["output"]


def test_each_file_is_of_one_part() -> None:
    """On the project's own tests: kernels are compiled in a part of their own, and no other file is lost."""
    marked = machine._marked()
    assert [path for path in marked if machine._KERNELS in path.parents]
    assert [path for path in marked if machine._KERNELS not in path.parents]
