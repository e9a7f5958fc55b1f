"""The leaderboard that a command regenerates when its runs are made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def regenerate(out: Path | None, results: Path, console: Console) -> None:
    """Write the leaderboard and say where it lies; a page that cannot be written is a warning.

    Args:
        out: the page; None for none.
        results: folder of the records.
        console: is told.

    Raises:
        BadData: some records are damaged; the page is written without them.
    """
    from bench.report.pages import keep_current
    from bench.results import store

    if out is None:
        return
    try:
        keep_current(results, out)
        console.print(f"leaderboard: {out}")
    except OSError as error:
        console.print(f"warning: no leaderboard: {error}; write it with: bench leaderboard --out {out}")
    store.check(results)
