"""The tests that want a GPU as a part of the GPU script: which files, and what is left of them when time runs out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.machine import pick_device
from bench.devtools.gpu import marked_tests
from bench.devtools.gpu.journal import Journal
from bench.devtools.gpu.plan import FIRST, TINY, PlannedPart
from bench.devtools.gpu.worker import Setting

MARK = "import time, pytest\npytestmark = pytest.mark.cuda\n"
SLOW = "def test_first(): pass\ndef test_second(): time.sleep(100)\n"


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Measures on files of tests: two of one name, and one that no more than names the mark."""
    for folder, text in {
        "a": f"{MARK}def test_good(): pass\ndef test_bad(): assert 1 == 2\n",
        "b": f"{MARK}{SLOW}",
    }.items():
        (tmp_path / "tests" / folder).mkdir(parents=True)
        (tmp_path / "tests" / folder / "test_x.py").write_text(text)
    (tmp_path / "tests" / "test_none.py").write_text("def test_none(): pass\n")
    (tmp_path / "tests" / "test_words.py").write_text("def test_words(): assert 'mark.cuda'\n")
    monkeypatch.setattr(marked_tests, "_TESTS", (str(tmp_path / "tests"),))
    return Setting(pick_device("cpu"), TINY, Journal(tmp_path / "gpu.jsonl", fresh=True), tmp_path)


def test_what_ran_in_time_is_written_down(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file whose tests ended: a test that failed, with its reason; of one that was stopped: what it said."""
    monkeypatch.setitem(FIRST, "tests", PlannedPart("marked_tests:tests", 14, ""))
    with pytest.raises(TimeoutError, match="was stopped"):
        marked_tests.tests(setting)
    lines = setting.journal.lines()
    (failure,) = [line for line in lines if "failed" in line]
    assert failure["failed"].endswith("test_bad") and "1 == 2" in failure["reason"]
    of = {line["of"].removeprefix(str(setting.scratch)): line for line in lines if "of" in line}
    assert set(of) == {"/tests/a/test_x.py", "/tests/b/test_x.py", "/tests/test_words.py"}
    found = {name: (line["run"], line["failures"], line["exit"]) for name, line in of.items()}
    assert found["/tests/a/test_x.py"] == (2, 1, 1)
    assert found["/tests/b/test_x.py"] == (1, 0, None) and "test_second" in of["/tests/b/test_x.py"]["output"]
    assert found["/tests/test_words.py"] == (0, 0, 0)


def test_files_that_take_longest_begin_first() -> None:
    """On the project's own tests, of which none is lost."""
    marked = [path.name for path in marked_tests._marked()]
    assert set(marked[: len(marked_tests._LONGEST)]) == set(marked_tests._LONGEST)
    assert len(marked) > len(marked_tests._LONGEST)
