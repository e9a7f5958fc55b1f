"""``bench slices``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
bench slices wnet
bench slices wnet:bce_ssim unet:bce_ssim
bench slices wnet unet --metric mask_bf
"""


def slices(
    a: Annotated[str, typer.Argument(help="A cell, model:loss, or a record's file.")],
    b: Annotated[str, typer.Argument(help="Another, to show the gaps between both.")] = "",
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="Metric; repeatable. Default: the headline metrics.")
    ] = None,
    within: Annotated[str, typer.Option(help="Part of a leaderboard heading, such as quick.")] = "",
    results: Annotated[Path, typer.Option(help="Folder of records.")] = Path("results"),
) -> None:
    """Show where a model fails: its scores by mask area, distance, contrast, known depth and what the camera did.

    With two, the gaps between them in each slice of the test images, and where these are largest.
    """
    from bench.core.errors import BenchError
    from bench.report.terminal.console import show
    from bench.report.terminal.results.slices_table import slices_table
    from bench.results import store
    from bench.results.slices.slices import slices as slices_in

    if not results.is_dir():
        raise BenchError(f"there is no folder {results}; bench run makes it, or name another with --results")
    shown = slices_table(slices_in(results, a, b, metric or (), within))
    show(shown)
    store.check(results)
