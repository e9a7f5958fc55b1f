"""``bench doctor``."""

from __future__ import annotations

import typer

EXAMPLES = "Example: bench doctor"


def doctor() -> None:
    """Say what is installed, which device will be used, and what is slow about this machine."""
    from bench.profile.doctor import examine

    verdicts = examine()
    width = max(len(v.what) for v in verdicts)
    for verdict in verdicts:
        typer.echo(f"{verdict.grade:6} {verdict.what:{width}}  {verdict.finding}")
        if verdict.advice:
            typer.echo(f"{'':7}{'':{width}}  -> {verdict.advice}")
    if any(verdict.grade == "broken" for verdict in verdicts):
        raise typer.Exit(1)
