"""``bench run``."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options.data import DataOptions
from bench.cli.options.groups import BudgetOptions, MachineOptions
from bench.cli.options.runs import CommonOptions, SeedOptions
from bench.cli.train.page import regenerate

EXAMPLES = """
bench run --model wnet --loss bce_ssim
bench run --model smp/fpn/tu-mobilenetv3_small_100 --loss "mask: bce + dice, depth: 0.5*l1 + ssim"
bench run --model unet --metric mask_hd95 --metric torchmetrics/mask/BinaryMatthewsCorrCoef
bench run --model unet --data composed --bg photos/ --bg-depth depth/ --fg cutouts/ --seeds 3
"""


def run(
    *,
    model: Annotated[
        list[str], typer.Option("--model", "-m", help="Model key (bench list models) or module:function; repeatable.")
    ],
    loss: Annotated[
        str, typer.Option("--loss", "-l", help="Recipe name (bench list losses) or its text.")
    ] = "bce_ssim",
    seeds: SeedOptions,
    data: DataOptions,
    budget: BudgetOptions,
    machine: MachineOptions,
    options: CommonOptions,
) -> None:
    """Train, evaluate, time and record models under one loss and one budget, then regenerate the leaderboard.

    An interrupted run resumes from its last checkpoint when the same command is repeated. Precision is bfloat16
    where the machine computes in it natively, else float32.
    """
    from bench.core import files
    from bench.core.interruption import Interruption
    from bench.report.listeners.optional_listeners import optional_listeners
    from bench.report.listeners.terminal import Terminal
    from bench.report.listeners.trackers import check_trackers
    from bench.report.terminal.console import plain_console
    from bench.report.terminal.run_summary import result_lines
    from bench.run.experiment import Experiment
    from bench.train.events import Listeners, OptionalListener

    interruption = Interruption()
    interruption.install()
    console = plain_console()
    tracked = check_trackers(seeds.track or ())
    if options.out is not None:
        files.check_writable(options.out, "--out")
    experiment = Experiment(
        models=model,
        loss=loss,
        protocol=budget.resolve(),
        seeds=range(seeds.first_seed, seeds.first_seed + seeds.seeds),
        source=data.open(),
        metrics=seeds.metric or (),
        interruption=interruption,
        **vars(machine),
        **options.given(),
    )
    console.print(experiment.headline())
    with Terminal(console) as terminal:
        drawing = [
            OptionalListener(listener, what, terminal.notice) for what, listener in optional_listeners(*tracked).items()
        ]
        for record, path, made in experiment.run(Listeners([terminal, *drawing]), announce=console.print):
            console.print(result_lines(record, path, options.runs, made, experiment.baseline_records()), soft_wrap=True)
    regenerate(options.out, options.results, console)
    if experiment.failed:
        raise typer.Exit(4)
