"""``bench explain``."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.cli.options.common import Metrics, Results, Where, Within, check_results

EXAMPLES = """
bench explain
bench explain --metric mask_dice --metric mask_bf
bench explain --within quick
bench explain --where 'mask_dice/skill>0' --where 'model=*unet*'
"""


def explain(
    metric: Metrics = None,
    within: Within = "",
    where: Where = None,
    results: Results = Path("results"),
) -> None:
    """Split each metric's variance into architecture, loss, their interaction, seed and test images.

    Also shows main effects, and which cells to run next as they would inform most. The grid may have gaps.
    """
    from bench.report.terminal.console import plain_console, show
    from bench.report.terminal.progress_bar import Bar
    from bench.report.terminal.results.explanation_table import explanation_tables
    from bench.results import store
    from bench.results.explain.explanation import explain as explain_records

    check_results(results)
    with Bar(plain_console(sys.stderr), after=1.0) as bar:
        found = explain_records(results, metric or (), within, where or (), bar)
    shown = explanation_tables(found)
    show(shown)
    store.check(results, tables=True)
