"""``bench compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Results, Within, check_results
from bench.core.errors import BenchError

EXAMPLES = """
bench compare wnet:bce_ssim unet:bce_ssim
bench compare unet:bce unet:bce_dice --metric mask_dice
bench compare results/a.json results/b.json
bench compare wnet wnet --seeds-a 0,1 --seeds-b 2,3
bench compare --transfer wnet
bench compare --transfer wnet:bce_ssim
"""


def compare(
    a: Annotated[str, typer.Argument(help="A cell, model:loss, a record's file, or a run's id.")] = "",
    b: Annotated[str, typer.Argument(help="The cell to compare it with.")] = "",
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Metric; repeatable.")] = None,
    transfer: Annotated[
        str,
        typer.Option(help="Instead of A and B: a joint model, or a cell of it, against its single-task twins."),
    ] = "",
    within: Within = "",
    margin: Annotated[
        float, typer.Option(min=0, help="Equal: within this share of the distance from a perfect score.")
    ] = 0.05,
    seeds_a: Annotated[str, typer.Option(help="Seeds of A to use, such as 0,1,2. Default: all.")] = "",
    seeds_b: Annotated[str, typer.Option(help="Seeds of B to use.")] = "",
    results: Results = Path("results"),
) -> None:
    """Compare A with B from their records: which is better, by how much, and how sure that is.

    Paired by seed and test image; the interval is over seeds, backgrounds and objects (docs/statistics.md).
    """
    from bench.report.terminal.console import show
    from bench.report.terminal.results.comparison_table import comparison_table
    from bench.report.terminal.results.transfer_table import transfer_table
    from bench.results import store
    from bench.results.compare import compare as compare_cells
    from bench.results.transfer import transfers

    check_results(results)
    if transfer and not a:
        shown = transfer_table(transfers(results, transfer, within))
    elif a and b and not transfer:
        seeds = _seeds("--seeds-a", seeds_a), _seeds("--seeds-b", seeds_b)
        shown = comparison_table(compare_cells(results, a, b, metric or (), within, margin, *seeds))
    else:
        raise BenchError("name two cells, as in bench compare wnet:bce_ssim unet:bce_ssim, or --transfer and a model")
    show(shown)
    store.check(results)


def _seeds(option: str, text: str) -> list[int]:
    try:
        return [int(seed) for seed in text.split(",")] if text else []
    except ValueError:
        raise BenchError(f"{option}: {text!r} is no list of seeds such as 0,1,2") from None
