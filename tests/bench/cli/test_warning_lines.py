"""What warns in this project prints one clean line; what warns elsewhere prints as Python does."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from bench.cli import warning_lines
from bench.data.split import find_rule

ROOT = Path(__file__).parents[3]
OWN = str(ROOT / "bench" / "data" / "split" / "rules.py")


@pytest.fixture
def by_python(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of warnings that are shown as Python shows them."""
    shown: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: shown.append(str(message)))
    warning_lines.print_as_lines()
    return shown


def test_a_warning_of_this_project_is_a_line_once(by_python: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("a note\n over two lines", "a note over two lines", "another"):
        warnings.showwarning(UserWarning(text), UserWarning, OWN, 1)
    assert capsys.readouterr().err == "bench: a note over two lines\nbench: another\n"
    assert by_python == []


def test_a_warning_of_other_code_is_left_alone(by_python: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    warnings.showwarning(UserWarning("careful"), UserWarning, "/elsewhere/bench/own.py", 7)
    assert by_python == ["careful"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("former", "now"), [("random", "shared"), ("group", "unseen-both")])
def test_a_former_rule_is_named_with_its_new_name(former: str, now: str) -> None:
    with pytest.warns(FutureWarning, match=f"^--split {former} is called {now} now$"):
        assert find_rule(former) == now


def test_the_command_line_prints_no_python_warning(tmp_path: Path) -> None:
    words = ["data", "inspect", "--split", "random", "--samples", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=tmp_path, capture_output=True, text=True, timeout=200,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("bench: --split random is called shared now\n") == 1
    assert "Warning" not in done.stderr
