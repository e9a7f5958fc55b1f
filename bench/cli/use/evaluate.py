"""``bench evaluate``."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options.data import DataOptions
from bench.cli.options.groups import FolderOptions

EXAMPLES = """
bench evaluate wnet:bce_ssim --data composed --bg photos/ --fg cutouts/
bench evaluate wnet:bce_ssim --data stored --root quartets.zip --samples 256
bench evaluate --board "quick v1 · synthetic, handheld" --data composed --bg photos/ --fg cutouts/
"""


def evaluate(
    *,
    run: Annotated[str, typer.Argument(help="A record's file, a run's id, or model:loss of the leaderboard.")] = "",
    board: Annotated[
        str, typer.Option(help="Instead of RUN: all cells of the leaderboard with this in its title.")
    ] = "",
    samples: Annotated[int | None, typer.Option(min=1, help="Test images. Default: as the run had.")] = None,
    size: Annotated[int | None, typer.Option(min=8, help="Image side, pixels. Default: as the run had.")] = None,
    data: DataOptions,
    within: Annotated[str, typer.Option(help="Part of a leaderboard heading, such as quick.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...", rich_help_panel="Machine")] = "auto",
    folders: FolderOptions,
) -> None:
    """Score a recorded run on data that it was not trained on, beside baselines fitted there.

    Recorded in results/evaluations/, never as a run. With --board: do the cells of a leaderboard stand in the same
    order there? Kendall's tau with its interval says how far.
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
        raise BenchError("name a run, as in bench evaluate wnet:bce_ssim --data ..., or --board and part of its title")
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
