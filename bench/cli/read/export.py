"""``bench export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Results, check_results
from bench.cli.options.expand import emit

EXAMPLES = """
bench export runs.csv
bench export images.csv --per-image
bench export - | head -3
"""


def export(
    out: Annotated[str, typer.Argument(help="CSV file to write, - for standard output.")],
    per_image: Annotated[
        bool, typer.Option("--per-image", help="A row per test image instead of a row per record.")
    ] = False,
    results: Results = Path("results"),
) -> None:
    """Write all records as a CSV table, with a row per record or per test image."""
    from bench.core import files
    from bench.core.amount import amount
    from bench.results import store
    from bench.results.frame import frame, images

    check_results(results)
    files.check_outputs({"OUT": None if out == "-" else Path(out)})
    table = images(results) if per_image else frame(results)
    emit(out, table.to_csv(index=False))
    if out != "-" and Path(out).is_file():  # in a pipe it would be a row
        typer.echo(f"wrote {out}: {amount(len(table), 'row')}, {amount(len(table.columns), 'column')}")
    store.check(results, tables=per_image)
