"""Names that hold control characters: shown, and nothing that they would do to a terminal done."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from bench.core.finding import Finding
from bench.core.visible import visible
from bench.report.terminal.findings_table import findings_table
from tests.bench.cli import terminals
from tests.bench.report.terminal.drawn import drawn

CLEARS = "mine\x1b[2J\x1b]0;title\x07\x9b31m"
SHOWN = "mine␛[2J␛]0;title␇�31m"


@given(st.text())
def test_nothing_is_left_that_steers_and_all_else_stays(text: str) -> None:
    found = visible(text)
    assert not [char for char in found if (ord(char) < 32 or 127 <= ord(char) < 160) and char not in "\n\t"]
    assert len(found) == len(text)
    assert [b for a, b in zip(text, found, strict=True) if a.isprintable()] == [c for c in text if c.isprintable()]
    assert visible(found) == found


def test_controls_are_symbols_and_lines_stay() -> None:
    assert visible(f"a\n\t{CLEARS}") == f"a\n\t{SHOWN}"


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("what", ["table", "text", "string"])
def test_what_a_console_prints_is_visible(what: str, terminal: bool) -> None:
    name = CLEARS.replace("\x07", "")  # which rich leaves out by itself
    table = findings_table([Finding(check="files", grade="warn", finding=name)])
    text = drawn({"table": table, "text": Text(name), "string": name}[what], terminal=terminal)
    assert SHOWN.replace("␇", "") in text
    assert not set(text) & {"\x1b", "\x07", "\x9b"}


def test_a_file_name_in_an_error_is_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, text = terminals.run(monkeypatch, terminals.PIPE, "leaderboard", "--results", CLEARS)
    assert status == 2 and SHOWN in text and "\x1b" not in text


def test_a_file_name_in_a_note_is_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{CLEARS}.txt").write_text("no picture")
    words = ["data", "inspect", "--data", "composed", "--bg", str(tmp_path), "--fg", str(tmp_path)]
    status, text = terminals.run(monkeypatch, terminals.PIPE, *words)
    assert status == 3 and "\x1b" not in text
    assert sys.stdout is not None
