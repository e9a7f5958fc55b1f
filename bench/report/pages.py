"""The generated pages: their current text, whether they are stale, and writing them."""

from __future__ import annotations

import os
from pathlib import Path

from bench.core import files
from bench.core.errors import BenchError
from bench.report.markdown.excerpt import put
from bench.report.markdown.leaderboard import leaderboard
from bench.results import store


def pages(results: Path, page: Path, pool: bool = False, readme: bool = True) -> dict[Path, str]:
    """Every generated file by path: the leaderboard, the records' schema, an excerpt in a README.md beside the page.

    Args:
        results: folder of the records; damaged records are left out.
        page: the leaderboard.
        pool: count machines as a further random level.
        readme: whether to include the excerpt; a README without the two markers has none.

    Raises:
        BenchError: the README is not UTF-8.
    """
    records = store.read_all(results)
    link = Path(os.path.relpath(results, page.parent)).as_posix()
    texts = {page: leaderboard(records, link, results, pool), results / store.SCHEMA: store.schema()}
    front = page.parent / "README.md"
    if readme and front.exists():
        texts[front] = put(_text_of(front), records, results)
    return texts


def _text_of(page: Path) -> str:
    """The text of a page with its line endings as they are."""
    try:
        return page.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise BenchError(f"{page} is not UTF-8, byte {error.start}: save it as UTF-8, or move it away") from error


def stale(texts: dict[Path, str]) -> list[Path]:
    """The paths whose files are missing or differ from their text."""
    return [path for path, text in texts.items() if not path.exists() or path.read_bytes() != text.encode()]


def refresh(texts: dict[Path, str]) -> list[Path]:
    """Write the stale pages; returns their paths."""
    written = stale(texts)
    for path in written:
        files.replace(path, texts[path])
    return written


def keep_current(results: Path, page: Path) -> None:
    """Write the leaderboard so that it has every record, however many processes write records and pages meanwhile.

    Whoever replaces the page last looks again whether a record has come since its text was made.

    Raises:
        OSError: it cannot be written.
    """
    listed: set[str] | None = None
    while (names := {path.name for path in results.glob("*.json")}) != listed:
        listed = names
        refresh(pages(results, page, readme=False))
