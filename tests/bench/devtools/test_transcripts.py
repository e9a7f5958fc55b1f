"""Output of commands in pages: put in anew, found stale, failures named."""

from pathlib import Path

import pytest

from bench.devtools import transcripts

PAGE = "# Doc\n<!-- bench list heads -->\nold\n<!-- /bench list heads -->\nafter\n"


def test_output_stands_between_the_markers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(transcripts, "output_of", lambda command: f"{command} printed\n")
    page = tmp_path / "doc.md"
    page.write_text(PAGE)
    assert transcripts.main([str(page), "--check"]) == 1
    assert page.read_text() == PAGE
    assert transcripts.main([str(page)]) == 0
    assert page.read_text() == PAGE.replace("old", "bench list heads printed")
    assert transcripts.main([str(page), "--check"]) == 0


def test_a_command_is_run() -> None:
    text = transcripts.output_of("bench list protocols")
    assert text.startswith("```text\n")
    assert "quick" in text
    assert "\x1b" not in text


def test_a_failing_command_is_named() -> None:
    with pytest.raises(RuntimeError, match="bench list nothing ended with 2"):
        transcripts.output_of("bench list nothing")


def test_a_missing_end_is_named() -> None:
    with pytest.raises(ValueError, match="no <!-- /bench list models -->"):
        transcripts.renewed("<!-- bench list models -->\n")
