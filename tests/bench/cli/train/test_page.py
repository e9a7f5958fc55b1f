"""The leaderboard at the end of a run or a sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from bench.cli.train.page import regenerate
from bench.core.errors import BadData


def test_a_page_that_cannot_be_written_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "page.md").mkdir()
    regenerate(tmp_path / "page.md", tmp_path / "results", Console(width=400))
    assert "warning: no leaderboard: " in capsys.readouterr().out


def test_damaged_records_are_named_once_the_page_is_written(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "broken.json").write_text("{")
    with pytest.raises(BadData, match="broken"):
        regenerate(tmp_path / "page.md", tmp_path / "results", Console())
    assert (tmp_path / "page.md").exists()


def test_without_a_page_nothing_is_looked_at(tmp_path: Path) -> None:
    regenerate(None, tmp_path / "nowhere", Console())
