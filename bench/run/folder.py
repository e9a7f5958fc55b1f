"""A run's own folder in ``runs/``: what lies there, who may write to it, and what is left when it is done.

A finished run leaves ``best.pt``, ``spec.json``, its events and its picture; ``last.pt`` is there while it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.core import files
from bench.core.errors import BenchError
from bench.core.spec import RunSpec
from bench.train.checkpoints.checkpoint import PART
from bench.train.checkpoints.training_state import LAST

LOCK = "lock"
SPEC = "spec.json"


class Busy(BenchError):
    """Another process, or another part of this one, makes the run."""


@contextmanager
def locked(folder: Path, wait: bool = False) -> Iterator[None]:
    """Keep others out of a run's folder; left when this process ends, however it ends.

    Args:
        folder: made, if it is not there.
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


def prepare(folder: Path, spec: RunSpec) -> None:
    """Sweep what a kill left half-written, and say what the folder is of."""
    for stray in folder.glob(f"*{PART}"):
        stray.unlink(missing_ok=True)
    files.sweep(folder)
    files.replace(folder / SPEC, spec.model_dump_json(indent=1) + "\n")


def finish(folder: Path) -> None:
    """The run is recorded: running it again starts anew."""
    forget(folder)


def forget(folder: Path) -> None:
    """Throw away the checkpoint of an unfinished run; what an earlier one left that finished stays."""
    (folder / LAST).unlink(missing_ok=True)


def is_taken(folder: Path) -> bool:
    """Whether another process makes the run of this folder now."""
    if not (folder / LOCK).exists():
        return False
    try:
        with files.lock(folder / LOCK, wait=False):
            return False
    except files.Taken:
        return True
