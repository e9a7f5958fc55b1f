"""``bench choose``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options.common import Results, Within, check_results

if TYPE_CHECKING:
    from bench.results.board.row import Row
    from bench.results.store.latency import Latency

EXAMPLES = """
bench choose --max-latency 6ms --max-memory 2GB --min mask_dice=0.9
bench choose --min mask_dice=0.8 --max depth_rmse=0.065
bench choose --metric mask_bf --no-measure
"""


def choose(
    max_latency: Annotated[str, typer.Option("--max-latency", help="Latency of one pair of images: 6ms, 0.5s.")] = "",
    max_memory: Annotated[
        str,
        typer.Option("--max-memory", help="Memory for one pair of images, weights included: 500MB, 2GB, 1.5GiB."),
    ] = "",
    at_least: Annotated[
        list[str] | None, typer.Option("--min", help="metric=number, for a metric where higher is better; repeatable.")
    ] = None,
    at_most: Annotated[
        list[str] | None, typer.Option("--max", help="metric=number, for a metric where lower is better; repeatable.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="Compare in this metric too; repeatable.")
    ] = None,
    measure: Annotated[
        bool, typer.Option(help="Measure latency and memory at batch 1, once per machine; else compare parameters.")
    ] = True,
    device: Annotated[str, typer.Option(help="Where to measure: auto, cpu, cuda, cuda:1 ...")] = "auto",
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds to measure each model for.")] = 1.0,
    within: Within = "",
    results: Results = Path("results"),
    runs: Annotated[Path, typer.Option(help="Folder that keeps the measurements, in latency/.")] = Path("runs"),
) -> None:
    """List the models to consider under limits on latency, memory and quality, and how sure that is.

    Those on the Pareto front are marked: no other model that meets the limits is as good in everything
    and better in something.
    """
    from bench.core.errors import BenchError
    from bench.core.quantity import MEBIBYTES, MILLISECONDS, quantity
    from bench.report.terminal.console import plain_console, show
    from bench.report.terminal.results.choice_table import choice_table
    from bench.results import store
    from bench.results.choose.choice import board_of
    from bench.results.choose.choice import choose as choose_from
    from bench.results.choose.limit import LATENCY, MEMORY, Limit, metric_limits
    from bench.results.metric_facts import find_key

    check_results(results)
    limits = []
    for name, text, units in ((LATENCY, max_latency, MILLISECONDS), (MEMORY, max_memory, MEBIBYTES)):
        option = f"--max-{name}"
        if text and not measure:
            raise BenchError(f"{option} needs a measurement, which --no-measure forbids")
        if text:
            limits.append(Limit(name, quantity(text, units, option), True, f"{option} {text}"))
    group = board_of(results, within)
    limits += metric_limits(at_least or [], False, group.metrics) + metric_limits(at_most or [], True, group.metrics)
    keys = [find_key(name, group.metrics) for name in metric or []]
    console = plain_console()

    def measured(rows: Sequence[Row]) -> Sequence[Latency]:
        """The latency of each row's model, measured where it is not known."""
        from bench.core.machine import pick_device
        from bench.profile.latency import latencies
        from bench.report.terminal.progress_bar import Bar

        with Bar(console) as bar:
            return latencies(
                [row.any.spec for row in rows], pick_device(device), runs / "latency", seconds, progress=bar
            )

    choice = choose_from(results, group, limits, keys, measured if measure else None)
    show(choice_table(choice), console)
    store.check(results, tables=True)
