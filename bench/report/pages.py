"""All generated pages and what they should say now."""

from __future__ import annotations

import os
from pathlib import Path

from bench.report.excerpt import put
from bench.report.leaderboard import leaderboard
from bench.results import store


def pages(results: Path, page: Path) -> dict[Path, str]:
    """Every generated file by path: the leaderboard, its excerpt in a README.md beside it, the records' schema.

    Raises:
        BadData: files in ``results`` that are no records.
    """
    records = store.read_all(results)
    link = Path(os.path.relpath(results, page.parent)).as_posix()
    texts = {page: leaderboard(records, link), results / store.SCHEMA: store.schema()}
    readme = page.parent / "README.md"
    if readme.exists():
        texts[readme] = put(readme.read_text(encoding="utf-8"), records)
    return texts
