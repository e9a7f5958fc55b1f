"""The record's file that a person names, by its path, or by its name among the records, with or without its suffix."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bench.core.errors import BenchError
from bench.results import store

_STEM = re.compile(r".+_[0-9a-f]{12}_\d{14}(-\d+)?")
"""As `store.slug` makes it."""


def record_file(results: Path, text: str) -> Path | None:
    """The file that a text names: with a folder that very file, without one the file of that name in ``results``.

    Returns:
        None for a text that is no file's name: a cell's or a run's id.

    Raises:
        BenchError: there is no such file.
    """
    if not text.endswith(".json") and not _STEM.fullmatch(Path(text).name):
        return None
    named = Path(text if text.endswith(".json") else f"{text}.json")
    namesake = results / named.name
    if any(separator in text for separator in (os.sep, os.altsep) if separator):
        if named.is_file():
            return named
        hint = f"; a record of that name is {namesake}" if namesake.is_file() else ""
        raise BenchError(f"there is no file {named}{hint}")
    for path in (namesake, named):
        if path.is_file():
            return path
    raise BenchError(f"there is no record called {named} in {results}; name another folder with --results")


def record_name(results: Path, text: str) -> str:
    """The file's name of the finished record in ``results`` that a text names; any text that names no file as it is.

    Raises:
        BenchError: there is no such file, it lies in another folder, or its run did not finish.
        BadData: it is damaged.
    """
    path = record_file(results, text)
    if path is None:
        return text
    if path.parent.resolve() != results.resolve():
        raise BenchError(
            f"{path} lies in another folder than the records that are read ({results}): read those with --results "
            f"{path.parent}. Records of two folders can be compared in a third that has copies of both"
        )
    record = store.read(path)
    if record.outcome != "finished":
        raise BenchError(f"{path.name} is of a run that did not finish ({record.outcome}): it has no results")
    return path.name
