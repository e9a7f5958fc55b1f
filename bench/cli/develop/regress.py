"""``bench regress``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
bench regress --against main
bench regress --against HEAD~3 --select 'forward and wnet'
"""


def regress(
    against: Annotated[str, typer.Option(help="Revision to compare this working tree with.")] = "main",
    select: Annotated[str, typer.Option(help="Benchmarks to run, as pytest's -k.")] = "",
) -> None:
    """Run the benchmarks of this working tree and of another revision, interleaved; exit 1 if any became slower.

    Slower means by more than 5 %, with the 95 % interval over twelve pairs of fresh processes clear of that. Benchmarks
    that look no slower are not measured further. Exit 2 where there is nothing to compare.
    """
    from rich.text import Text

    from bench.devtools.regress.regress import regress as compare
    from bench.report.terminal.console import plain_console

    console = plain_console()
    with console.status("benchmarks, interleaved") as status:
        findings = compare(Path.cwd(), against, select, progress=lambda words: status.update(Text(words)))
    for found in sorted(findings, key=lambda f: -f.ratio):
        bounds = f"({found.low:.3f} to {found.high:.3f})"
        console.print(f"{found.answer:10} {found.ratio:6.3f} {bounds:18} {found.name}", soft_wrap=True)
    slower = [found for found in findings if found.answer == "slower"]
    console.print(f"{len(findings)} benchmarks against {against}: {len(slower)} slower")
    if slower:
        raise typer.Exit(1)
