"""Warnings of this project on the command line: one line each on the standard error, as all notes are."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TextIO

from bench.core.visible import visible

_PROJECT = tuple(Path(__file__).parents[2] / name for name in ("bench", "registry"))


def print_as_lines() -> None:
    """From now on print a warning of this project as ``bench: ...``, each text once; others as Python does."""
    python_shows, printed = warnings.showwarning, set[str]()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        """In the place of `warnings.showwarning`."""
        if file is not None or not any(Path(filename).is_relative_to(folder) for folder in _PROJECT):
            python_shows(message, category, filename, lineno, file, line)
            return
        text = " ".join(str(message).split())
        if text not in printed:
            printed.add(text)
            print(f"bench: {visible(text)}", file=sys.stderr)

    warnings.showwarning = show
