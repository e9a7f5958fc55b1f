"""``bench tax``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Device

EXAMPLES = """
bench tax
bench tax --loss bce_ssim --loss "mask: bce, depth: l1"
bench tax --size 224 --batch 8
"""

_COLUMNS = """Every loss is measured right before or after `bce`, round by round; a column is the median of its rounds,
and a median of differences is not the difference of two medians."""


def tax(
    loss: Annotated[
        list[str] | None,
        typer.Option("--loss", "-l", help="Recipe name or text; repeatable. Default: every named recipe."),
    ] = None,
    size: Annotated[int, typer.Option(min=16, help="Side of the predictions, pixels.")] = 64,
    batch: Annotated[int, typer.Option(min=1, help="Images a step.")] = 32,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="Also write the table to this page.")] = None,
) -> None:
    """Measure what each loss costs a training step over plain bce, in milliseconds and memory, without any model."""
    from bench.core import files
    from bench.core.machine import environment, pick_device
    from bench.profile.tax import measure
    from bench.report.markdown.tax_table import tax_table
    from bench.report.terminal.console import plain_console
    from bench.report.terminal.progress_bar import Bar
    from registry.losses import recipes

    files.check_outputs({"--out": out})
    chosen = pick_device(device)
    names = loss or [name for name in recipes.names() if "@" not in name]
    with Bar(plain_console()) as bar:
        taxes = tax_table(measure({name: name for name in names}, size, batch, chosen, progress=bar))
    about = (
        f"Forward and backward through the loss alone, {batch} predictions of {size}x{size} a head, "
        f"on {environment(chosen).label}."
    )
    if out is not None:
        files.replace(out, f"# What a loss costs\n\nWritten by `bench tax --out`. {about}\n\n{_COLUMNS}\n\n{taxes}")
    typer.echo(f"{about}\n\n{taxes}", nl=False)
