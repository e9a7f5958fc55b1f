"""What lies in ``runs/`` as a table for the terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.run.stored_runs import StoredRun


def runs_table(stored: Sequence[StoredRun]) -> Table:
    """A line a folder: what it is of, its state, size and age."""
    total = sum(run.bytes for run in stored) / 2**20
    table = Table(box=None, caption=f"{len(stored)} folders, {total:.1f} MiB", caption_justify="left")
    for heading in ("folder", "run", "state"):
        table.add_column(heading)
    for heading in ("MiB", "age"):
        table.add_column(heading, justify="right")
    for run in stored:
        cells = (run.path.name, run.label, run.state, f"{run.bytes / 2**20:.1f}", age(time.time() - run.modified))
        table.add_row(*map(Text, cells))
    return table


def age(seconds: float) -> str:
    """A length of time in its largest unit: ``3 min``, ``5 h``, ``12 d``."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
