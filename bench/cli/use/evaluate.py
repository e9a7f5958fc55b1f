"""``bench evaluate``."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options.common import Device, RecordedRun, Within
from bench.cli.options.data import DataOptions
from bench.cli.options.groups import FolderOptions

EXAMPLES = """
bench evaluate wnet:bce_ssim --data composed --bg photos/ --fg cutouts/
bench evaluate wnet:bce_ssim --data stored --root quartets.zip --samples 256
bench evaluate --board "quick v1 · synthetic, handheld" --data composed --bg photos/ --fg cutouts/
"""


def evaluate(
    *,
    run: RecordedRun = "",
    board: Annotated[
        str, typer.Option(help="Instead of RUN: every cell of the leaderboard that has this in its heading.")
    ] = "",
    samples: Annotated[int | None, typer.Option(min=1, help="Test images. Default: as in the run.")] = None,
    size: Annotated[int | None, typer.Option(min=8, help="Image side, pixels. Default: as in the run.")] = None,
    data: DataOptions,
    within: Within = "",
    device: Device = "auto",
    folders: FolderOptions,
) -> None:
    """Score a recorded run on another data set, beside baselines that are fitted to that data.

    Recorded in results/evaluations/, never as a run. With --board: Kendall's tau, with its interval, between the
    order of a leaderboard's cells on their own data and on this.
    """
    from bench.core.errors import BenchError
    from bench.core.machine import pick_device
    from bench.report.terminal.console import plain_console, show
    from bench.report.terminal.progress_bar import Bar
    from bench.report.terminal.results.evaluation_table import evaluation_table, order_table
    from bench.results.store import evaluations
    from bench.run.evaluate.board_evaluation import evaluate_board, find_board
    from bench.run.evaluate.evaluation import Evaluator
    from bench.run.trained import trained_run

    if bool(run) == bool(board):
        raise BenchError(
            "name a run, as in bench evaluate wnet:bce_ssim --data ..., or --board and part of its heading"
        )
    chosen = pick_device(device)
    console = plain_console()
    trained = trained_run(folders.results, folders.runs, run, chosen, within) if run else None
    group = find_board(folders.results, board) if board else None
    evaluator = Evaluator(data.open().to(chosen), folders.results, samples, size)
    if trained is not None:
        evaluation, path = evaluator.evaluate(trained)
        show(evaluation_table(evaluation, trained.record), console)
        console.print(f"recorded: {path}", soft_wrap=True)
    if group is not None:
        with Bar(console) as bar:
            found = evaluate_board(evaluator, group, folders.runs, chosen, bar)
        show(order_table(found), console)
        console.print(f"recorded: {folders.results / evaluations.FOLDER}", soft_wrap=True)
