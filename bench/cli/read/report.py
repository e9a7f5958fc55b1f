"""``bench report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    """Write one HTML page to explore all records in: ranking, cost, curves, time, test images side by side.

    The page holds everything it needs and works offline.
    """
    from bench.core import files
    from bench.core.errors import BenchError
    from bench.report.html.explore.page import report as page_of
    from bench.results import store

    if not folders.results.is_dir():
        raise BenchError(f"there is no folder {folders.results}; bench run makes it, or name another with --results")
    files.check_writable(out, "--out")
    page = page_of(folders.results, folders.runs)
    files.replace(out, page)
    typer.echo(f"wrote {out}: {len(page.encode()) / 2**20:.1f} MiB")
    store.check(folders.results)
