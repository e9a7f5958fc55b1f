"""What must hold after every disturbance: each check gives the faults that it finds, in words."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from bench.core.files import STRAY_AGE
from bench.devtools.soak.process import Process
from bench.results import store
from bench.train.checkpoints.checkpoint import PART

_GONE = 60.0
"""Seconds that the processes of a command may go on after it: they write a checkpoint."""
TEMPORARY = (".tmp", PART)


def ended_well(process: Process, allowed: Collection[int]) -> Iterator[str]:
    """Whether a command ended as documented, with words for people."""
    text = process.text
    if process.hung:
        yield "hangs"
    elif process.status not in allowed:
        yield f"exit status {process.status}, not {' or '.join(map(str, sorted(allowed)))}"
    if "Traceback (most recent" in text:
        yield "prints a traceback"
    if process.status in (2, 3, 130, 143) and not any(line.startswith("bench: ") for line in text.splitlines()):
        yield f"exit status {process.status} without a word"


def processes_gone(folder: Path) -> Iterator[str]:
    """Whether no process is left whose folder this is; waits for those that still write a checkpoint."""
    end = time.monotonic() + _GONE
    while (left := _processes(folder)) and time.monotonic() < end:
        time.sleep(0.1)
    if left:
        yield f"processes go on: {', '.join(left)}"


def _processes(folder: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if path.readlink().is_relative_to(folder) and path.parent.name != str(os.getpid()):
                found.append(path.parent.name)
    return found


def age(folder: Path) -> None:
    """Make everything that lies in a folder as old as what a kill left hours ago."""
    before = time.time() - 2 * STRAY_AGE
    for path in folder.rglob("*"):
        with suppress(OSError):
            os.utime(path, (before, before))


def no_strays(folder: Path) -> Iterator[str]:
    """Whether no temporary file, checkpoint of a finished run or table without its record lies in a folder."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in TEMPORARY:
            yield f"leaves {path.relative_to(folder)}"
        elif path.name.startswith("last.pt"):
            yield f"leaves the checkpoint {path.relative_to(folder)}"
        elif path.name.endswith(store.IMAGES) and not _record_of(path).exists():
            yield f"leaves {path.relative_to(folder)} without a record"


def _record_of(table: Path) -> Path:
    return table.with_name(table.name.removesuffix(store.IMAGES) + ".json")


def nothing_written(folder: Path) -> Iterator[str]:
    """Whether a folder is empty."""
    left = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    if left:
        yield f"writes {', '.join(left[:4])} although it was refused"


def records_whole(results: Path) -> Iterator[str]:
    """Whether every record can be read at this moment."""
    for path in results.glob("*.json"):
        with suppress(FileNotFoundError):
            try:
                json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                yield f"{path.name} is half written: {error}"


def page_whole(page: Path) -> Iterator[str]:
    """Whether a leaderboard is whole at this moment: it begins and ends as every one does."""
    with suppress(FileNotFoundError):
        text = page.read_text(encoding="utf-8")
        if not text.startswith("# Leaderboard\n") or "How to read it" not in text or not text.endswith(".\n"):
            yield f"{page.name} is not whole: {len(text)} letters, {text[-60:]!r}"


def outcomes(folder: Path) -> dict[str, list[str]]:
    """By the id of a run the outcomes of its records, in order."""
    found: dict[str, list[str]] = {}
    for _, record in store.read_all(folder / "results"):
        found.setdefault(record.id, []).append(record.outcome)
    return found
