"""``bench audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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

EXAMPLES = (
    "Examples: bench audit --model wnet --loss bce_ssim  |  bench audit --loss bce_iou_ssim@published --strict  |  "
    'bench audit --loss "mask: bce, depth: my_terms:charbonnier" --optimizer sgd --schedule "step[every=1,gamma=0.01]"'
)


def audit(
    model: Annotated[str, typer.Option("--model", "-m", help="Model key or module:function.")] = "unet",
    loss: Annotated[str, typer.Option("--loss", "-l", help="Recipe name or its text.")] = "bce_ssim",
    protocol: Annotated[str, typer.Option(help="Budget (bench list protocols).")] = "quick",
    optimizer: Annotated[str | None, typer.Option(help="Override: such as 'sgd[lr=0.1]'.")] = None,
    schedule: Annotated[str | None, typer.Option(help="Override: such as 'plateau[patience=3]'.")] = None,
    augmentation: Annotated[str | None, typer.Option(help="Override: none, flip or standard.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Override: passes a stage.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Override: images a step.")] = None,
    size: Annotated[int | None, typer.Option(min=8, help="Override: image side, pixels.")] = None,
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
    strict: Annotated[bool, typer.Option("--strict", help="Exit 5 if anything is broken.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the verdicts with all their figures.")] = None,
) -> None:
    """Say what a recipe, its metrics, its data and its schedule are worth before anything is trained.

    Grades: ok; warn, results need care; broken, results will not mean what they seem to.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.audit.audit import audit as examine
    from bench.core import files
    from bench.core.files import canonical_json
    from bench.core.finding import broken, headline
    from bench.core.protocol import find_protocol
    from bench.report.progress_bar import Bar
    from registry.models import models

    changes = {"optimizer": optimizer, "schedule": schedule, "augmentation": augmentation}
    budget = find_protocol(protocol).override(**changes, epochs=epochs, batch=batch, size=size)
    source = open_source(data, bg, bg_depth, fg, depth_unit, camera, split, scenes, skip_bad, data_seed)
    console = Console(highlight=False)
    with Bar(console) as bar:
        verdicts = examine(loss, source, budget, models.canonical(model), tell=bar)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for verdict in verdicts:
        advice = f"\n-> {verdict.advice}" if verdict.advice else ""
        table.add_row(verdict.grade, verdict.check, escape(verdict.finding + advice))
    console.print(table)
    console.print(headline(verdicts))
    if json is not None:
        files.replace(json, canonical_json([verdict.model_dump() for verdict in verdicts]) + "\n")
    if strict and broken(verdicts):
        raise typer.Exit(5)
