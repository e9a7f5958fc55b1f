"""``bench runs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Runs

EXAMPLES = """
bench runs
bench runs --prune --unfinished --older-than 7
bench runs --prune --all-but-best --older-than 30
"""


def runs(
    runs: Runs = Path("runs"),
    prune: Annotated[bool, typer.Option("--prune", help="Delete what the options below choose.")] = False,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Interrupted runs that were not resumed.")] = (False),
    older_than: Annotated[float | None, typer.Option(min=0, help="Not touched for this many days.")] = None,
    all_but_best: Annotated[
        bool, typer.Option("--all-but-best", help="Keep the best weights of the chosen runs.")
    ] = False,
) -> None:
    """List the folders in runs/: run, progress, size and age. --prune deletes those that the options choose.

    Records in results/ are never touched, nor folders that a process is writing to.
    """
    from bench.core.amount import amount
    from bench.core.errors import BenchError
    from bench.report.terminal.console import show
    from bench.report.terminal.runs_table import runs_table
    from bench.run.stored_runs import remove, stored_runs, to_prune

    stored = stored_runs(runs)
    if not prune:
        show(runs_table(stored))
        return
    if not unfinished and older_than is None:
        raise BenchError("say what to delete: --unfinished, --older-than DAYS, or both")
    chosen = to_prune(stored, unfinished=unfinished, older_than_days=older_than)
    freed = sum(remove(run, all_but_best) for run in chosen)
    typer.echo(f"{len(chosen)} of {amount(len(stored), 'folder')} pruned, {freed / 2**20:.1f} MiB freed")
