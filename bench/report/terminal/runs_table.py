"""The folders in ``runs/`` as a table for the terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bench.core.amount import amount
from bench.report.terminal.duration import duration
from bench.report.terminal.figure_table import FigureTable
from bench.run.stored_runs import StoredRun


def runs_table(stored: Sequence[StoredRun]) -> RenderableType:
    """A row per folder: run, state, size and age."""
    total = sum(run.bytes for run in stored) / 2**20
    table = FigureTable(("folder", "run", "state"), ("MiB", "age"))
    for run in stored:
        age = duration(max(0.0, time.time() - run.modified))
        table.add(run.path.name, run.label, run.state, f"{run.bytes / 2**20:.1f}", age)
    return Group(table, Text(f"{amount(len(stored), 'folder')}, {total:.1f} MiB"))
