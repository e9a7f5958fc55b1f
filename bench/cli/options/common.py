"""Single options that several commands have, with the same name and help in each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.core.errors import BenchError

Results = Annotated[Path, typer.Option(help="Folder of records.")]
Runs = Annotated[Path, typer.Option(help="Folder for checkpoints and pictures.")]
Within = Annotated[str, typer.Option(help="Part of a leaderboard heading, such as quick, tuned or untuned.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...", rich_help_panel="Machine")]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="Metric; repeatable. Default: the headline metrics.")
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="Rows to keep: 'column=pattern', '!=', 'column>number', '<', '>=', '<='; repeatable."),
]
RecordedRun = Annotated[str, typer.Argument(help="A record's file, a run's id, or model:loss of the leaderboard.")]

MoreMetrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help="Also score by: module:function, torchmetrics/mask/NAME, mask_hd95; repeatable."),
]
Track = Annotated[
    list[str] | None,
    typer.Option("--track", help="Also report to a tracker: mlflow, mlflow[experiment=NAME]; repeatable."),
]
Seeds = Annotated[int, typer.Option(min=1, max=10_000, help="Number of seeds to run.")]
FirstSeed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="First seed; the others follow it.")]
EngineChoice = Annotated[
    str,
    typer.Option(
        help="Engine of a step: eager, compiled, graphed (a CUDA graph), or auto: graphed where launching costs.",
        rich_help_panel="Machine",
    ),
]
InputsChoice = Annotated[
    str, typer.Option(help="What models get: pair (background and composite), or image (the composite alone).")
]
Init = Annotated[
    str,
    typer.Option(help="Start from the weights of a recorded run: its id, record, or model:loss.", show_default=False),
]
Again = Annotated[bool, typer.Option("--again", help="Run even what this machine and code have a record of.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Discard the checkpoints of interrupted runs.")]
ResumeAnyway = Annotated[
    bool, typer.Option("--resume-anyway", help="Resume from a checkpoint of other code or arithmetic, too.")
]
Baselines = Annotated[bool, typer.Option(help="Also fit the baselines that learn nothing, once.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse to train what the audit finds broken.")]
Page = Annotated[Path | None, typer.Option(help="Leaderboard to regenerate.")]


def check_results(folder: Path) -> None:
    """Refuse a folder of records that does not exist.

    Raises:
        BenchError: it names the command that makes such a folder.
    """
    if not folder.is_dir():
        raise BenchError(f"there is no folder {folder}; bench run makes it, or name another with --results")
