"""A run's own folder in ``runs/``: its files, its lock, and what remains when the run is over.

A finished run leaves ``best.pt``, ``spec.json``, ``trained_on.txt`` (see `bench.run.trained_on`), its events and its
picture; ``last.pt`` exists until then, and ``draft.json`` until its pictures are drawn, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.core import files
from bench.core.errors import BenchError, CannotWrite
from bench.core.record import Record
from bench.train.checkpoints.checkpoint import OTHER, PART
from bench.train.checkpoints.training_state import LAST

LOCK = "lock"
SPEC = "spec.json"
DRAFT = "draft.json"
"""The run's record as far as it is known when training begins."""


class Busy(BenchError):
    """Another process, or another part of this one, makes the run."""


@contextmanager
def locked(folder: Path, wait: bool = False) -> Iterator[None]:
    """Keep others out of a run's folder; left when this process ends, however it ends.

    Args:
        folder: made, if it does not exist.
        wait: until others have left.

    Raises:
        Busy: another process makes this run.
        BenchError: the file system has no locks.
    """
    try:
        with files.lock(folder / LOCK, wait):
            yield
    except files.Taken:
        raise Busy(f"another process is making this very run ({folder.name}); wait for it") from None


def prepare(folder: Path, draft: Record) -> None:
    """Remove what a kill left half-written, and write down what the folder is of and how its record begins.

    Raises:
        CannotWrite: it cannot be written to.
    """
    for stray in folder.glob(f"*{PART}"):
        stray.unlink(missing_ok=True)
    files.remove_strays(folder)
    try:
        files.replace(folder / SPEC, draft.spec.model_dump_json(indent=1) + "\n")
        files.replace(folder / DRAFT, draft.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise CannotWrite.of(f"to {folder}", error) from error


def draft_of(folder: Path) -> Record | None:
    """The record of the run that was begun here and whose end nobody has shown yet."""
    try:
        return Record.model_validate_json((folder / DRAFT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def recorded(folder: Path) -> None:
    """The run is recorded: running it again starts anew."""
    for name in (LAST, LAST + OTHER):
        (folder / name).unlink(missing_ok=True)


def finish(folder: Path) -> None:
    """Pictures and events of the recorded run are made; what an earlier try to make them left goes."""
    files.remove_strays(folder)
    (folder / DRAFT).unlink(missing_ok=True)


def tidy(folder: Path) -> None:
    """Remove what a kill left of pictures half-drawn of a recorded run; making the run again draws them."""
    if (folder / DRAFT).exists():
        files.remove_strays(folder)


def forget(folder: Path) -> None:
    """Throw away the checkpoint of an unfinished run; what an earlier run left that finished stays."""
    recorded(folder)


def is_taken(folder: Path) -> bool:
    """Whether another process makes the run of this folder now."""
    if not (folder / LOCK).exists():
        return False
    try:
        with files.lock(folder / LOCK, wait=False):
            return False
    except files.Taken:
        return True
