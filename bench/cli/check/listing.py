"""``bench list``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

EXAMPLES = """
bench list models
bench list models 'u*'
bench list losses
bench list protocols quick
"""


class Kind(StrEnum):
    """What can be listed."""

    models = "models"
    losses = "losses"
    recipes = "recipes"
    terms = "terms"
    metrics = "metrics"
    sources = "sources"
    cameras = "cameras"
    augmentations = "augmentations"
    optimizers = "optimizers"
    schedules = "schedules"
    protocols = "protocols"


def listing(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    pattern: Annotated[str, typer.Argument(help="A name, or a shell wildcard for names.")] = "*",
) -> None:
    """List the names of a kind; a single name shows its parameters, and a protocol is printed as a TOML file."""
    from bench.report.terminal.lists import details, lines

    about = details(kind, pattern)
    if kind == Kind.protocols and about:
        typer.echo(about, nl=False)
        return
    rows = lines(kind, pattern)
    width = max((len(name) for name, _ in rows), default=0)
    for name, what in rows:
        typer.echo(f"{name:{width}}  {what}")
    if about:
        typer.echo(about)
