"""What lies in ``runs/``: which run, how far it came, how large it is and how old; and pruning of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.core.errors import BenchError
from bench.core.spec import RunSpec
from bench.run import folder as run_folder
from bench.run import trained_on
from bench.train.checkpoints.training_state import BEST, LAST

State = Literal["running", "unfinished", "finished", "packed samples", "unknown"]


@dataclass(frozen=True)
class StoredRun:
    """A folder in ``runs/``.

    Attributes:
        path: of the folder.
        spec: of the run; None for folders of samples, and for those that do not say.
        state: ``running`` by a process now, ``unfinished`` with a checkpoint to go on from, ``finished``, ``packed
            samples`` that serve all runs, or ``unknown``.
        bytes: of all files in it.
        modified: of its newest file, seconds since 1970.
    """

    path: Path
    spec: RunSpec | None
    state: State
    bytes: int
    modified: float

    @property
    def label(self) -> str:
        """What was run, in a few words."""
        if self.spec is None:
            return self.path.name
        what = ", ".join(filter(None, [self.spec.model, self.spec.recipe]))
        return f"{what}, {self.spec.protocol.label}, seed {self.spec.seed}"


def stored_runs(runs: Path) -> list[StoredRun]:
    """All folders in ``runs/``, the newest first.

    Raises:
        BenchError: it is no folder.
    """
    if not runs.is_dir():
        raise BenchError(f"there is no folder {runs}; bench run makes it, or name another with --runs")
    folders = [path for path in runs.iterdir() if path.is_dir()]
    return sorted(map(_stored, folders), key=lambda run: -run.modified)


def to_prune(
    stored: Iterable[StoredRun], *, unfinished: bool = False, older_than_days: float | None = None
) -> list[StoredRun]:
    """Those that may go; what a process writes to now never does, and packed samples only by their age.

    Args:
        stored: to choose from.
        unfinished: runs with a checkpoint that nobody went on from.
        older_than_days: whatever was not touched for so long; together with ``unfinished``, both must hold.
    """
    if not unfinished and older_than_days is None:
        return []
    limit = time.time() - 86400 * (older_than_days or 0.0)
    return [
        run
        for run in stored
        if run.state not in ("running", "unknown")
        and (not unfinished or run.state == "unfinished")
        and run.modified <= limit
    ]


def remove(stored: StoredRun, but_best: bool = False) -> int:
    """Delete a folder, or all in it but the best weights and what they are of; returns the bytes that are free now.

    Raises:
        BenchError: a process writes to it, or it cannot be deleted.
    """
    try:
        with run_folder.locked(stored.path):
            if not but_best:
                shutil.rmtree(stored.path)
                return stored.bytes
            kept = {BEST, run_folder.SPEC, run_folder.LOCK, trained_on.FILE}
            for path in stored.path.iterdir():
                if path.name not in kept:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError as error:
        raise BenchError(f"cannot delete {stored.path}: {error.strerror}") from error
    return stored.bytes - _bytes(stored.path)


def _stored(path: Path) -> StoredRun:
    spec = _spec_of(path)
    return StoredRun(path, spec, _state_of(path, spec), _bytes(path), _modified(path))


def _spec_of(path: Path) -> RunSpec | None:
    try:
        return RunSpec.model_validate_json((path / run_folder.SPEC).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _state_of(path: Path, spec: RunSpec | None) -> State:
    if path.name == "packed":
        return "packed samples"
    if spec is None:
        return "unknown"
    if run_folder.is_taken(path):
        return "running"
    if (path / LAST).exists() or (path / run_folder.DRAFT).exists():
        return "unfinished"
    return "finished" if (path / BEST).exists() or not spec.recipe else "unfinished"  # a baseline leaves no weights


def _bytes(path: Path) -> int:
    return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())


def _modified(path: Path) -> float:
    written = (file.lstat().st_mtime for file in path.rglob("*") if file.name != run_folder.LOCK)
    return max(written, default=path.stat().st_mtime)
