"""``bench explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
bench explain
bench explain --metric mask_dice --metric mask_bf
bench explain --within quick
"""


def explain(
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="Metric; repeatable. Default: the headline metrics.")
    ] = None,
    within: Annotated[str, typer.Option(help="Part of a leaderboard heading, such as quick.")] = "",
    results: Annotated[Path, typer.Option(help="Folder of records.")] = Path("results"),
) -> None:
    """Say how much of each metric's variance is architecture, loss, both together, seed and test images.

    With main effects, and the cells that would tell most if they were run next. Cells may be missing.
    """
    from bench.core.errors import BenchError
    from bench.report.terminal.console import show
    from bench.report.terminal.results.explanation_table import explanation_tables
    from bench.results import store
    from bench.results.explain.explanation import explain as explain_records

    if not results.is_dir():
        raise BenchError(f"there is no folder {results}; bench run makes it, or name another with --results")
    shown = explanation_tables(explain_records(results, metric or (), within))
    show(shown)
    store.check(results)
