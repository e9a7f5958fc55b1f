"""The table of run folders."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.report.terminal.runs_table import runs_table
from bench.run.stored_runs import StoredRun
from tests.bench.report.terminal.drawn import drawn


@pytest.mark.parametrize(
    ("age", "words"),
    [(50, "50 s"), (3 * 60, "3 min"), (5 * 3600, "5.0 h"), (12 * 86400, "12.0 days"), (-3600, " 0 s")],
)
def test_an_age_is_in_the_words_of_the_sweeps_table(age: float, words: str) -> None:
    """A folder of another clock may be younger than now."""
    stored = StoredRun(Path("runs/x"), None, "packed samples", 2**21, time.time() - age)
    assert words in drawn(runs_table([stored]), 100)


def test_folders_are_counted() -> None:
    stored = StoredRun(Path("runs/x"), None, "packed samples", 2**20, time.time())
    assert "1 folder, 1.0 MiB" in drawn(runs_table([stored]), 100)
    assert "2 folders, 2.0 MiB" in drawn(runs_table([stored, stored]), 100)
