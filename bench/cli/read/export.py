"""``bench export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Results, check_results

EXAMPLES = """
bench export runs.csv
bench export images.csv --per-image
"""


def export(
    out: Annotated[Path, typer.Argument(help="CSV file to write.")],
    per_image: Annotated[
        bool, typer.Option("--per-image", help="A row per test image instead of a row per record.")
    ] = False,
    results: Results = Path("results"),
) -> None:
    """Write all records as a CSV table, with a row per record or per test image."""
    from bench.core import files
    from bench.results import store
    from bench.results.frame import frame, images

    check_results(results)
    files.check_writable(out, "OUT")
    table = images(results) if per_image else frame(results)
    files.replace(out, table.to_csv(index=False))
    typer.echo(f"wrote {out}: {len(table)} rows, {len(table.columns)} columns")
    store.check(results, tables=per_image)
