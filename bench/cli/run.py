"""``bench run``."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bench.cli.data import (
    BackgroundDepth,
    Backgrounds,
    Camera,
    Data,
    DataSeed,
    DepthUnit,
    Foregrounds,
    Scenes,
    SkipBad,
    Split,
    open_source,
)
from bench.core.errors import Interrupted

EXAMPLES = (
    "Examples: bench run --model wnet --loss bce_ssim  |  "
    'bench run --model smp/fpn/tu-mobilenetv3_small_100 --loss "mask: bce + dice, depth: 0.5*l1 + ssim"  |  '
    "bench run --model unet --data composed --bg photos/ --bg-depth depth/ --fg cutouts/ --seeds 3"
)


def run(
    model: Annotated[
        list[str], typer.Option("--model", "-m", help="Model key (bench list models) or module:function; repeatable.")
    ],
    loss: Annotated[
        str, typer.Option("--loss", "-l", help="Recipe name (bench list losses) or its text.")
    ] = "bce_ssim",
    protocol: Annotated[str, typer.Option(help="Budget (bench list protocols).")] = "quick",
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds to run.")] = 1,
    first_seed: Annotated[int, typer.Option(help="The first of them.")] = 0,
    data: Data = "synthetic",
    bg: Backgrounds = None,
    bg_depth: BackgroundDepth = None,
    fg: Foregrounds = None,
    depth_unit: DepthUnit = "mm",
    camera: Camera = "handheld",
    split: Split = "group",
    scenes: Scenes = "auto",
    skip_bad: SkipBad = False,
    data_seed: DataSeed = 0,
    epochs: Annotated[int | None, typer.Option(min=1, help="Override: passes a stage.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Override: images a step.")] = None,
    size: Annotated[int | None, typer.Option(min=8, help="Override: image side, pixels.")] = None,
    train_samples: Annotated[int | None, typer.Option(min=1, help="Override: training samples a pass.")] = None,
    val_samples: Annotated[int | None, typer.Option(min=1, help="Override: validation samples.")] = None,
    test_samples: Annotated[int | None, typer.Option(min=1, help="Override: test samples.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="Override: such as 'sgd[lr=0.1,momentum=0.9]'.")] = None,
    schedule: Annotated[str | None, typer.Option(help="Override: such as 'plateau[patience=3]'.")] = None,
    augmentation: Annotated[str | None, typer.Option(help="Override: none, flip or standard.")] = None,
    precision: Annotated[str, typer.Option(help="float32, bfloat16, or auto: the faster one.")] = "auto",
    layout: Annotated[str, typer.Option(help="channels_last, contiguous, or auto: the faster one.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    again: Annotated[
        bool, typer.Option("--again", help="Run even what this machine and code have a record of.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw an unfinished run's checkpoint away.")] = False,
    baselines: Annotated[bool, typer.Option(help="Also fit the baselines that learn nothing, once.")] = True,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse to train what the audit finds broken.")] = False,
    results: Annotated[Path, typer.Option(help="Folder for records.")] = Path("results"),
    runs: Annotated[Path, typer.Option(help="Folder for checkpoints and pictures.")] = Path("runs"),
    out: Annotated[Path | None, typer.Option(help="Leaderboard to regenerate.")] = Path("leaderboard.md"),
) -> None:
    """Train, evaluate, time and record models under one loss and one budget, then regenerate the leaderboard.

    A run that was stopped goes on from its last checkpoint when the same command is given again. Precision and memory
    format are those of the leaderboard row's records, else the fastest, measured once a machine and model.
    """
    from rich.console import Console

    from bench.core.protocol import find_protocol
    from bench.report.run_summary import result_lines
    from bench.report.tensorboard import TensorBoard
    from bench.report.terminal import Terminal
    from bench.run.experiment import Experiment
    from bench.train.events import Watchers

    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _interrupt)
    console = Console(highlight=False, markup=False)
    changes = {
        "epochs": epochs,
        "batch": batch,
        "size": size,
        "train_samples": train_samples,
        "val_samples": val_samples,
        "test_samples": test_samples,
        "optimizer": optimizer,
        "schedule": schedule,
        "augmentation": augmentation,
    }
    experiment = Experiment(
        models=model,
        loss=loss,
        protocol=find_protocol(protocol).override(**changes),
        seeds=range(first_seed, first_seed + seeds),
        source=open_source(data, bg, bg_depth, fg, depth_unit, camera, split, scenes, skip_bad, data_seed),
        precision=precision,
        layout=layout,
        device=device,
        results=results,
        runs=runs,
        again=again,
        fresh=fresh,
        baselines=baselines,
        strict=strict,
    )
    console.print(experiment.headline())
    with Terminal(console) as terminal:
        for record, path, made in experiment.run(Watchers([terminal, TensorBoard()]), announce=console.print):
            console.print(result_lines(record, path, runs, made, experiment.floor()), soft_wrap=True)
    if out is not None:
        experiment.write_leaderboard(out)
        console.print(f"leaderboard: {out}")
    if experiment.failed:
        raise typer.Exit(4)


def _interrupt(*_: object) -> NoReturn:
    raise Interrupted(
        "stopped; the same command goes on from the last checkpoint (at the end of an epoch, a minute apart)"
    )
