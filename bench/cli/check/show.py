"""``bench show``."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = """
bench show wnet
bench show depthmasknet --size 224
bench show smp/fpn/resnet18 --batch 8
"""


def show(
    model: Annotated[str, typer.Argument(help="Model key (bench list models) or module:function.")],
    size: Annotated[int, typer.Option(min=1, help="Image side, pixels.")] = 64,
    batch: Annotated[int, typer.Option(min=1, help="Images per batch, for the memory estimate.")] = 1,
) -> None:
    """Print a model layer by layer, block by block: kind, output shape, parameters; nothing is computed."""
    from bench.report.terminal.console import show as show_tables
    from bench.report.terminal.layer_table import layer_table
    from registry.models import models

    show_tables(layer_table(models.build(model), models.canonical(model), size, batch))
