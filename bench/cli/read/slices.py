"""``bench slices``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Metrics, Results, Within, check_results

EXAMPLES = """
bench slices wnet
bench slices wnet:bce_ssim unet:bce_ssim
bench slices wnet unet --metric mask_bf
"""


def slices(
    a: Annotated[str, typer.Argument(help="A cell, model:loss, a record's file, or a run's id.")],
    b: Annotated[str, typer.Argument(help="A second cell, to show the gaps between both.")] = "",
    metric: Metrics = None,
    within: Within = "",
    results: Results = Path("results"),
) -> None:
    """Show where a model fails: its scores by mask area, distance, contrast, known depth and camera motion.

    With two cells, the gaps between them in each slice of the test images, and where these are largest.
    """
    from bench.report.terminal.console import show
    from bench.report.terminal.results.slices_table import slices_table
    from bench.results import store
    from bench.results.slices.slices import slices as slices_in

    check_results(results)
    shown = slices_table(slices_in(results, a, b, metric or (), within))
    show(shown)
    store.check(results)
