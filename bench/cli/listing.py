"""``bench list``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

EXAMPLES = """
bench list models
bench list models 'u*'
bench list losses
bench list metrics
"""


class Kind(StrEnum):
    """What can be listed."""

    models = "models"
    losses = "losses"
    metrics = "metrics"
    protocols = "protocols"
    optimizers = "optimizers"
    schedules = "schedules"


def listing(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    pattern: Annotated[str, typer.Argument(help="Shell wildcard for names.")] = "*",
) -> None:
    """List models, losses, metrics, protocols, optimizers or schedules by name."""
    from bench.report.lists import LISTS

    rows = LISTS[kind](pattern)
    width = max((len(name) for name, _ in rows), default=0)
    for name, what in rows:
        typer.echo(f"{name:{width}}  {what}")
    if not rows:
        typer.echo(f"no {kind} match {pattern!r}", err=True)
        raise typer.Exit(2)
