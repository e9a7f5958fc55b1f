"""``bench report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import check_results
from bench.cli.options.groups import FolderOptions

EXAMPLES = """
bench report
bench report --out report.html --results my/results --runs my/runs
"""


def report(
    *,
    out: Annotated[Path, typer.Option(help="Page to write.")] = Path("report.html"),
    folders: FolderOptions,
) -> None:
    """Write an HTML page to explore all records: ranking, cost, curves, time, test images side by side.

    The page is self-contained and works offline.
    """
    from bench.core import files
    from bench.report.html.explore.page import report as page_of
    from bench.results import store

    check_results(folders.results)
    files.check_writable(out, "--out")
    page = page_of(folders.results, folders.runs)
    files.replace(out, page)
    typer.echo(f"wrote {out}: {len(page.encode()) / 2**20:.1f} MiB")
    store.check(folders.results, tables=True)
