"""``bench leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
bench leaderboard
bench leaderboard --check
bench leaderboard --results my/results --out my.md
"""


def leaderboard(
    results: Annotated[Path, typer.Option(help="Folder of records.")] = Path("results"),
    out: Annotated[Path, typer.Option(help="Page to write.")] = Path("leaderboard.md"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the page is stale.")] = False,
) -> None:
    """Regenerate leaderboard.md from the records, with its excerpt in README.md and the records' JSON schema."""
    from bench.core.errors import BenchError
    from bench.report.pages import pages, write
    from bench.report.pages import stale as stale_pages
    from bench.results import store

    if not results.is_dir():
        raise BenchError(f"there is no folder {results}; bench run makes it, or name another with --results")
    texts = pages(results, out)
    stale = stale_pages(texts)
    if not check:
        write(texts)
        typer.echo(f"{out} is up to date" if out not in stale else f"wrote {out}")
    elif stale:
        typer.echo(f"stale: {', '.join(map(str, stale))}; run: bench leaderboard", err=True)
        raise typer.Exit(1)
    else:
        typer.echo(f"{out} is up to date")
    store.check(results)
