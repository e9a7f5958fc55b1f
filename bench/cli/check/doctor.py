"""``bench doctor``."""

from __future__ import annotations

import typer

EXAMPLES = """
bench doctor
"""


def doctor() -> None:
    """Report what is installed, which device will be used, and what slows this machine down."""
    from bench.profile.machine.doctor import examine

    findings = examine()
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        typer.echo(f"{finding.grade:6} {finding.check:{width}}  {finding.finding}")
        if finding.advice:
            typer.echo(f"{'':7}{'':{width}}  -> {finding.advice}")
    if any(finding.grade == "broken" for finding in findings):
        raise typer.Exit(1)
