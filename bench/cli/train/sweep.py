"""``bench sweep``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options.common import (
    Again,
    Baselines,
    EngineChoice,
    FirstSeed,
    Fresh,
    Init,
    InputsChoice,
    MoreMetrics,
    Page,
    ResumeAnyway,
    Seeds,
    Strict,
)
from bench.cli.options.data import DataOptions
from bench.cli.options.groups import BudgetOptions, FolderOptions, MachineOptions

if TYPE_CHECKING:
    from rich.console import Console

    from bench.run.sweep.executors.executor import Executor
    from bench.run.sweep.sweep import Sweep

EXAMPLES = """
bench sweep --model unet --model 'smp/unet/resnet*' --loss 'bce_*' --loss "mask: bce, depth: l1" --seeds 5 --plan
bench sweep --model 'unet[width=16|32|64]' --model wnet --loss bce_ssim --loss bce --exclude 'wnet x bce' --seeds 3
bench sweep grid.toml --max-hours 8 --timeout 30m
"""

_MOST_SEEDS = 12
"""Of a cell, where they are run until settled and none were asked for."""
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _read_grid(context: typer.Context, path: Path | None) -> Path | None:
    """Take the options that a file gives for those that are not on the command line."""
    from bench.run.sweep.grid.grid_file import read_grid_file

    if path is not None:
        options = {option.name or "": option for option in context.command.params if option.name != "grid"}
        repeatable = {name for name, option in options.items() if getattr(option, "multiple", False)}
        context.default_map = {**(context.default_map or {}), **read_grid_file(path, options, repeatable)}
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
    metric: MoreMetrics = None,
    seeds: Seeds = 1,
    first_seed: FirstSeed = 0,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be run and how long it takes, and stop.")
    ] = False,
    share: Annotated[
        int,
        typer.Option(min=1, max=256, help="Runs at once on the device, for quality alone: their timings are marked."),
    ] = 1,
    max_hours: Annotated[
        float | None, typer.Option(min=0, help="Stop after this many hours, with checkpoints.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(help="Limit of a run: seconds, or 90s, 30m, 2h; then it counts as failed.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Repeat runs that failed before.")] = False,
    tune: Annotated[
        str | None,
        typer.Option(
            help="Try values for every cell on validation, then run at the best: optimizer.lr=3e-4..3e-2@5, or any "
            "number in optimizer, schedule or recipe: loss.depth.ssim.weight=0.5,1,2.",
            rich_help_panel="Tuning",
        ),
    ] = None,
    tune_by: Annotated[
        str, typer.Option(help="Score of a trial: skill, the mean over heads.", rich_help_panel="Tuning")
    ] = "skill",
    weights: Annotated[
        str, typer.Option(help="Of the heads in that mean: mask=1,depth=2; equal by default.", rich_help_panel="Tuning")
    ] = "",
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Stop trials out of the running (successive halving).", rich_help_panel="Tuning"),
    ] = False,
    until_settled: Annotated[
        bool,
        typer.Option(
            "--until-settled",
            help="Run further seeds, --seeds at most (12 by itself), only where a comparison with the leader is open.",
            rich_help_panel="Settling",
        ),
    ] = False,
    spend: Annotated[
        str | None,
        typer.Option("--budget", help="Stop settling after so long: 90m, 2h.", rich_help_panel="Settling"),
    ] = None,
    settle_by: Annotated[
        str, typer.Option(help="Metric to settle; mask_dice by itself.", rich_help_panel="Settling", show_default=False)
    ] = "",
    margin: Annotated[
        float,
        typer.Option(min=0, help="Difference up to which cells count as equal.", rich_help_panel="Settling"),
    ] = 0.0,
    data: DataOptions,
    budget: BudgetOptions,
    machine: MachineOptions,
    engine: EngineChoice = "auto",
    address: Annotated[
        str,
        typer.Option(
            help="With --engine ray, which makes the runs on a Ray cluster: auto, HOST; none begins Ray here.",
            rich_help_panel="Cluster",
            show_default=False,
        ),
    ] = "",
    gpus_per_run: Annotated[float, typer.Option(min=0, help="Of a run on Ray.", rich_help_panel="Cluster")] = 0,
    cpus_per_run: Annotated[float, typer.Option(min=0, help="Of a run on Ray.", rich_help_panel="Cluster")] = 1,
    inputs: InputsChoice = "pair",
    init: Init = "",
    folders: FolderOptions,
    again: Again = False,
    fresh: Fresh = False,
    resume_anyway: ResumeAnyway = False,
    baselines: Baselines = True,
    strict: Strict = False,
    out: Page = Path("leaderboard.md"),
) -> None:
    """Run a grid: models times losses times seeds, a process per run, first seeds of all cells first.

    The same command resumes an interrupted sweep. A run that fails is a row; the others go on, and the command
    ends with exit status 4 and prints the command that repeats the failed runs.
    """
    from bench.core import files
    from bench.core.errors import BenchError
    from bench.core.interruption import Interruption
    from bench.report.terminal.console import plain_console
    from bench.report.terminal.sweep_plan import plan_lines
    from bench.run.sweep.grid.grid import Grid
    from bench.run.sweep.sweep import Sweep
    from bench.run.sweep.task import DataChoice
    from bench.run.sweep.tuning.score import Weights
    from bench.run.sweep.tuning.trial_grid import TrialGrid

    interruption = Interruption()
    interruption.install()
    if not model:
        raise BenchError("no models: give --model, or a file with model = [...]")
    if tune_by != "skill":
        raise BenchError(f"unknown --tune-by {tune_by!r}; there is: skill")
    if tune is None and (prune or weights):
        raise BenchError("--prune and --weights are of --tune")
    if not until_settled and (spend or settle_by or margin):
        raise BenchError("--budget, --settle-by and --margin are of --until-settled")
    if until_settled and seeds == 1:
        seeds = _MOST_SEEDS
    limits = [3600 * max_hours if max_hours is not None else None, _seconds("--budget", spend) if spend else None]
    if out is not None:
        files.check_writable(out, "--out")
    console = plain_console()
    made = Sweep(
        grid=Grid(model, loss or ["bce_ssim"], exclude or ()),
        protocol=budget.resolve(),
        seeds=range(first_seed, first_seed + seeds),
        data=DataChoice.of(data.data, data.given()),
        source=data.open(),
        precision=machine.precision,
        memory_format=machine.memory_format,
        engine="auto" if engine == "ray" else engine,
        inputs=inputs,
        init=init,
        device=machine.device,
        results=folders.results,
        runs=folders.runs,
        metrics=metric or (),
        baselines=baselines,
        again=again,
        fresh=fresh,
        resume_anyway=resume_anyway,
        strict=strict,
        share=share,
        timeout=None if timeout is None else _seconds("--timeout", timeout),
        max_seconds=min((limit for limit in limits if limit is not None), default=None),
        retry_failed=retry_failed,
        tune=None if tune is None else TrialGrid.parse(tune),
        weights=Weights.parse(weights),
        prune=prune,
        until_settled=until_settled,
        settle_by=settle_by,
        margin=margin,
        listeners="bench.report.listeners.decorations:decorations",
        interruption=interruption,
    )
    words = [word for word in sys.argv[1:] if word not in ("--retry-failed", "--plan")]
    retry = shlex.join(["bench", *words, "--retry-failed"])
    console.print(made.headline(), soft_wrap=True)
    for line in plan_lines(made.plan, retry):
        console.print(line, soft_wrap=True)
    if not plan:
        executor = None
        if engine == "ray":
            from bench.run.sweep.executors.ray import RayExecutor

            executor = RayExecutor(made.worker_config(), address, cpus_per_run, gpus_per_run)
        _run(made, console, out, retry, executor)


def _run(made: Sweep, console: Console, out: Path | None, retry: str, executor: Executor | None) -> None:
    """Make the runs, write the page, and end as they ended."""
    from bench.report.pages import pages, refresh
    from bench.report.terminal.sweep_plan import failure_line
    from bench.report.terminal.sweep_table import SweepTable
    from bench.results import store
    from bench.run.sweep.scheduler import is_failure

    with SweepTable(console, made.estimate, made.share) as table:
        scheduler = made.run(table, executor)
    if out is not None:
        try:
            refresh(pages(made.results, out, readme=False))
            console.print(f"leaderboard: {out}")
        except OSError as error:
            console.print(f"warning: no leaderboard: {error}; write it with: bench leaderboard --out {out}")
        store.check(made.results)
    console.print(table.summary(scheduler))
    for line in made.settling.summary() if made.settling else ():
        console.print(line, soft_wrap=True)
    if scheduler.interrupted == "interrupted":
        made.interruption.leave(f"stopped with {len(scheduler.agenda)} runs left; the same command goes on with them")
    if scheduler.interrupted == "deadline":
        console.print(f"time is over with {len(scheduler.agenda)} runs left; the same command goes on with them")
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


def _seconds(option: str, text: str) -> float:
    """A stretch of time as a person writes it.

    Raises:
        BenchError: it cannot be read, or is not over 0.
    """
    from bench.core.errors import BenchError

    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    try:
        seconds = float(number) * _SECONDS[unit]
    except ValueError:
        seconds = float("nan")
    if not 0 < seconds < 1e9:
        raise BenchError(f"{option}: cannot read {text!r}: write seconds, or 90s, 30m, 2h")
    return seconds
