"""``bench compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
bench compare wnet:bce_ssim unet:bce_ssim
bench compare unet:bce unet:bce_dice --metric mask_dice
bench compare results/a.json results/b.json
bench compare --transfer wnet
"""

_WIDTH = 130  # of the table, which is no use broken up


def compare(
    a: Annotated[str, typer.Argument(help="A cell, model:loss, or a record's file.")] = "",
    b: Annotated[str, typer.Argument(help="The cell to compare it with.")] = "",
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Metric; repeatable.")] = None,
    transfer: Annotated[
        str, typer.Option(help="Instead of A and B: a joint model, against its single-task twins.")
    ] = "",
    within: Annotated[str, typer.Option(help="Part of a leaderboard heading, such as quick.")] = "",
    margin: Annotated[
        float, typer.Option(min=0, help="Equal: within this share of B's distance from a perfect score.")
    ] = 0.05,
    results: Annotated[Path, typer.Option(help="Folder of records.")] = Path("results"),
) -> None:
    """Say whether A is better than B, by how much, and how sure that is, from the records of both.

    Paired by seed and test image; the interval is a bootstrap over seeds and backgrounds.
    """
    from rich.console import Console

    from bench.core.errors import BenchError
    from bench.report.comparison_table import comparison_table
    from bench.report.transfer_table import transfer_table
    from bench.results import store
    from bench.results.compare import compare as compare_cells
    from bench.results.transfer import transfers

    if not results.is_dir():
        raise BenchError(f"there is no folder {results}; bench run makes it, or name another with --results")
    if transfer and not a:
        shown = transfer_table(transfers(results, transfer, within))
    elif a and b and not transfer:
        shown = comparison_table(compare_cells(results, a, b, metric or (), within, margin))
    else:
        raise BenchError("name two cells, as in bench compare wnet:bce_ssim unet:bce_ssim, or --transfer and a model")
    Console(highlight=False, markup=False, width=max(Console().width, _WIDTH)).print(shown)
    store.check(results)
