"""Lines of JSON, each on the disk and on the terminal before the next is measured."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any


class Journal:
    """Appends lines to a file, and prints them; several processes may append in turn.

    Args:
        path: of the file.
        fresh: begin it anew.
    """

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self._path, self._began = path, time.monotonic()
        if fresh:
            path.write_text("")

    def line(self, part: str, **facts: Any) -> None:
        """One line of a part; numbers are rounded to what they can be worth."""
        text = json.dumps({"part": part, **{name: _rounded(value) for name, value in facts.items()}}, default=str)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def lines(self) -> list[dict[str, Any]]:
        """All lines so far; a line that a killed process left unfinished is skipped."""
        return read_lines(self._path)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal's file that are whole, those of parts."""
    return read_journal(path)[0]


def read_journal(path: Path) -> tuple[list[dict[str, Any]], int]:
    """As `read_lines`, and how many lines were passed over: damaged, unfinished, or of no part."""
    texts = [text for text in path.read_text(encoding="utf-8", errors="replace").splitlines() if text.strip()]
    found = [line for line in map(_parsed, texts) if isinstance(line, dict) and isinstance(line.get("part"), str)]
    return found, len(texts) - len(found)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value
