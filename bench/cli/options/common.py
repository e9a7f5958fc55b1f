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


def check_results(folder: Path) -> None:
    """Refuse a folder of records that does not exist.

    Raises:
        BenchError: it names the command that makes such a folder.
    """
    if not folder.is_dir():
        raise BenchError(f"there is no folder {folder}; bench run makes it, or name another with --results")
