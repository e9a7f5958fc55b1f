"""``bench sweep``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperOption

from bench.cli.options.data import DataOptions
from bench.cli.options.groups import BudgetOptions, MachineOptions
from bench.cli.options.runs import CommonOptions, SeedOptions
from bench.cli.options.sweep import ClusterOptions, LimitOptions, SettlingOptions, TuningOptions
from bench.cli.train.page import regenerate
from bench.cli.usage import DEFAULTS

if TYPE_CHECKING:
    from rich.console import Console

    from bench.run.sweep.executors.executor import Executor
    from bench.run.sweep.sweep import Sweep

EXAMPLES = """
bench sweep --model unet --model 'smp/unet/resnet*' --loss 'bce_*' --loss "mask: bce, depth: l1" --seeds 5 --plan
bench sweep --model 'unet[width=16|32|64]' --model wnet --loss bce_ssim --loss bce --exclude 'wnet x bce' --seeds 3
bench sweep grid.toml --max-hours 8 --timeout 30m
"""


def _read_grid(context: typer.Context, path: Path | None) -> Path | None:
    """Take the options that a file gives for those that are not on the command line."""
    from bench.run.sweep.grid.grid_file import GridOption, read_grid_file

    if path is not None:
        options = {
            option.name or "": GridOption(option.multiple, option.is_flag, option.nargs)
            for option in context.command.params
            if isinstance(option, TyperOption)
        }
        context.default_map = {**(context.default_map or {}), **read_grid_file(path, options)}
        context.meta[DEFAULTS] = path
    return path


def sweep(
    *,
    grid: Annotated[
        Path | None,
        typer.Argument(
            help="TOML file with any of these options by name: model = ['unet', 'wnet'].",
            is_eager=True,
            callback=_read_grid,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="Model key, pattern (smp/unet/resnet*) or unet[width=16|32]; repeatable."),
    ] = None,
    loss: Annotated[
        list[str] | None,
        typer.Option("--loss", "-l", help="Recipe name, pattern of names (bce_*), or text; repeatable."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude", help="Leave out models (wnet*), cells (wnet x bce_*), losses (* x edge); repeatable."
        ),
    ] = None,
    seeds: SeedOptions,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be run and how long it takes, and stop.")
    ] = False,
    limits: LimitOptions,
    tuning: TuningOptions,
    settling: SettlingOptions,
    data: DataOptions,
    budget_options: BudgetOptions,
    machine: MachineOptions,
    cluster: ClusterOptions,
    options: CommonOptions,
) -> None:
    """Run a grid: models times losses times seeds, a process per run, first seeds of all cells first.

    The same command resumes an interrupted sweep. A run that fails is a row; the others go on, and the command
    ends with exit status 4 and prints the command that repeats the failed runs.
    """
    from bench.core import files
    from bench.core.errors import BenchError
    from bench.core.interruption import Interruption
    from bench.report.listeners.trackers import check_trackers
    from bench.report.terminal.console import plain_console
    from bench.report.terminal.sweep_plan import plan_lines
    from bench.run.sweep.grid.grid import Grid
    from bench.run.sweep.sweep import Sweep
    from bench.run.sweep.task import DataChoice
    from bench.run.sweep.tuning.score import Weights

    interruption = Interruption()
    interruption.install()
    if not model:
        raise BenchError("no models: give --model, or a file with model = [...]")
    count = settling.seeds(seeds.seeds)
    hours = None if limits.max_hours is None else 3600 * limits.max_hours
    tracked = check_trackers(seeds.track or ())
    if options.out is not None:
        files.check_writable(options.out, "--out")
    on_ray = options.engine == "ray"
    console = plain_console()
    made = Sweep(
        grid=Grid(model, loss or ["bce_ssim"], exclude or ()),
        protocol=budget_options.resolve(),
        seeds=range(seeds.first_seed, seeds.first_seed + count),
        data=DataChoice.of(data.data, data.given()),
        source=data.open(),
        metrics=seeds.metric or (),
        share=limits.share,
        threads=limits.run_threads(),
        timeout=limits.run_seconds,
        max_seconds=min((limit for limit in (hours, settling.seconds) if limit is not None), default=None),
        retry_failed=limits.retry_failed,
        tune=tuning.grid(),
        weights=Weights.parse(tuning.weights),
        prune=tuning.prune,
        until_settled=settling.until_settled,
        settle_by=settling.settle_by,
        margin=settling.margin,
        listeners="bench.report.listeners.optional_listeners:optional_listeners",
        trackers=tracked,
        interruption=interruption,
        **vars(machine),
        **(options.given() | ({"engine": "auto"} if on_ray else {})),
    )
    words = [word for word in sys.argv[1:] if word not in ("--retry-failed", "--plan")]
    retry = shlex.join(["bench", *words, "--retry-failed"])
    console.print(made.headline(), soft_wrap=True)
    for line in plan_lines(made.plan, retry):
        console.print(line, soft_wrap=True)
    if not plan:
        executor = None
        if on_ray:
            from bench.run.sweep.executors.ray import RayExecutor

            executor = RayExecutor(made.worker_config(), cluster.address, cluster.cpus_per_run, cluster.gpus_per_run)
        _run(made, console, options.out, retry, executor)


def _run(made: Sweep, console: Console, out: Path | None, retry: str, executor: Executor | None) -> None:
    """Make the runs, write the page, and end as they ended."""
    from bench.core.amount import amount
    from bench.report.listeners.lost_runs import LostRuns
    from bench.report.live_page import LivePage
    from bench.report.terminal.sweep_plan import failure_line
    from bench.report.terminal.sweep_table import SweepTable
    from bench.run.sweep.listener import SweepListeners
    from bench.run.sweep.scheduler import is_failure

    with SweepTable(console, made.estimate, made.share) as table:
        lost = [LostRuns(made.trackers, made.runs, table)] if made.trackers else []
        live = [LivePage(made.results, out)] if out is not None else []
        scheduler = made.run(SweepListeners([table, *lost, *live]), executor)
    regenerate(out, made.results, console)
    console.print(table.summary(scheduler))
    for line in made.settling.summary() if made.settling else ():
        console.print(line, soft_wrap=True)
    left = f"{amount(len(scheduler.agenda), 'run')} left; the same command goes on"
    if scheduler.interrupted == "interrupted":
        made.interruption.leave(f"stopped with {left}")
    if scheduler.interrupted == "deadline":
        console.print(f"time is over with {left}")
    failed = [*made.plan.failed, *(record for record in scheduler.records.values() if is_failure(record))]
    hopeless = made.planner.failed if made.planner else []
    for cell in hopeless:
        console.print(f"no run of {cell.label}: none of its trials has a score", soft_wrap=True)
    if failed or hopeless:
        console.print(f"{len(failed)} failed:")
        for record in failed:
            console.print(f"  {failure_line(record)}", soft_wrap=True)
        console.print(f"try these again: {retry}", soft_wrap=True)
        raise typer.Exit(4)
