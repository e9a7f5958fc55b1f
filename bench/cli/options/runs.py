"""Groups of options that ``bench run`` and ``bench sweep`` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cli.options.common import Results, Runs


@dataclass(frozen=True)
class SeedOptions:
    """How often a cell is run, and what is told of its runs."""

    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Also score by: module:function, torchmetrics/mask/NAME, mask_hd95; repeatable."),
    ] = None
    track: Annotated[
        list[str] | None,
        typer.Option("--track", help="Also report to a tracker: mlflow, mlflow[experiment=NAME]; repeatable."),
    ] = None
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="Number of seeds to run.")] = 1
    first_seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="First seed; the others follow it.")] = 0


@dataclass(frozen=True)
class CommonOptions:
    """How runs are made, and where they leave what."""

    results: Results = Path("results")
    runs: Runs = Path("runs")
    engine: Annotated[
        str,
        typer.Option(
            help="Engine of a step: eager, compiled, graphed (a CUDA graph), or auto: graphed where launching costs.",
            rich_help_panel="Machine",
        ),
    ] = "auto"
    inputs: Annotated[
        str, typer.Option(help="What models get: pair (background and composite), or image (the composite alone).")
    ] = "pair"
    init: Annotated[
        str,
        typer.Option(
            help="Start from the weights of a recorded run: its id, record, or model:loss.", show_default=False
        ),
    ] = ""
    again: Annotated[bool, typer.Option("--again", help="Run even what this machine and code have a record of.")] = (
        False
    )
    fresh: Annotated[bool, typer.Option("--fresh", help="Discard the checkpoints of interrupted runs.")] = False
    resume_anyway: Annotated[
        bool, typer.Option("--resume-anyway", help="Resume from a checkpoint of other code or arithmetic, too.")
    ] = False
    baselines: Annotated[bool, typer.Option(help="Also fit the baselines that learn nothing, once.")] = True
    strict: Annotated[bool, typer.Option("--strict", help="Refuse to train what the audit finds broken.")] = False
    out: Annotated[Path | None, typer.Option(help="Leaderboard to regenerate.")] = Path("leaderboard.md")

    def given(self) -> dict[str, Any]:
        """All but the page, by the names that they have in `bench.run.options.RunOptions`."""
        return {name: value for name, value in vars(self).items() if name != "out"}
