"""All generated pages and what they should say now."""

from __future__ import annotations

import os
from pathlib import Path

from bench.core import files
from bench.report.excerpt import put
from bench.report.leaderboard import leaderboard
from bench.results import store


def run_pages(results: Path, page: Path) -> dict[Path, str]:
    """What ``bench run`` keeps up to date, by path: the leaderboard, and the records' schema beside them."""
    records = store.read_all(results)
    link = Path(os.path.relpath(results, page.parent)).as_posix()
    return {page: leaderboard(records, link), results / store.SCHEMA: store.schema()}


def pages(results: Path, page: Path) -> dict[Path, str]:
    """Every generated file by path: those of `run_pages`, and the excerpt in a README.md beside the leaderboard."""
    texts = run_pages(results, page)
    readme = page.parent / "README.md"
    if readme.exists():
        texts[readme] = put(read(readme), store.read_all(results))
    return texts


def stale(texts: dict[Path, str]) -> list[Path]:
    """The paths that do not hold these texts."""
    return [path for path, text in texts.items() if not path.is_file() or read(path) != text]


def write(texts: dict[Path, str]) -> None:
    """Write those that are stale, each whole or not at all; links and modes stay.

    Raises:
        OSError: one cannot be written.
    """
    for path in stale(texts):
        files.replace(path, texts[path])


def read(path: Path) -> str:
    """A page with its own line endings, and whatever bytes stand in it."""
    return path.read_bytes().decode("utf-8", errors="surrogateescape")
