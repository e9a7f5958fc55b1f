"""The records of runs whose process ended before they did, written by whoever started that process."""

from __future__ import annotations

import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import torch

from bench.core.errors import BadData
from bench.core.machine import pick_device
from bench.core.record import Epoch, Failure, Outcome, Record
from bench.core.spec import RunSpec
from bench.results import store
from bench.run import folder as run_folder
from bench.run.found import FoundRecords
from bench.run.run_record import begin_record
from bench.train.assemble import Run
from bench.train.checkpoints import checkpoint
from bench.train.checkpoints.training_state import LAST


def record_killed(
    run: Run | RunSpec, results: Path, runs: Path, status: int, device: str = "auto"
) -> tuple[Record, Path]:
    """Record that a run's process ended by a signal, or by itself without a record.

    Its checkpoint stays: the run resumes from it.

    Args:
        run: that the process made.
        results, runs: folders of records and of runs, as the process had them.
        status: as `subprocess.Popen.returncode` has it: negative for a signal.
        device: on which it computed, as on the command line.

    Returns:
        The record and its file; that of the process itself, where it came as far as to write it.

    Raises:
        Busy: a process makes this very run.
        BenchError: the record cannot be written.
    """
    return record_lost(run, results, runs, device, "killed", f"its process {_ended(status)}")


def record_timeout(
    run: Run | RunSpec, results: Path, runs: Path, limit: float, device: str = "auto"
) -> tuple[Record, Path]:
    """Record that a run's process was stopped because it took more than ``limit`` seconds; else as `record_killed`."""
    return record_lost(run, results, runs, device, "timeout", f"it took more than {limit:g} s and was stopped")


def record_lost(
    run: Run | RunSpec,
    results: Path,
    runs: Path,
    device: str,
    outcome: Outcome,
    reason: str,
    failure: Failure | None = None,
) -> tuple[Record, Path]:
    """Record a run whose process left no record, as `record_killed` and `record_timeout` do.

    Args:
        run, results, runs, device: as for `record_killed`.
        outcome, reason: how it ended, and why.
        failure: what is known of it.
    """
    run = Run.of(run) if isinstance(run, RunSpec) else run
    folder = runs / run.spec.id
    with run_folder.locked(folder):
        draft = run_folder.draft_of(folder)
        for path in FoundRecords(results, torch.device("cpu"), {}).paths(run.spec) if draft is not None else ():
            with suppress(BadData):
                record = store.read(path)
                if draft is not None and record.started == draft.started:
                    return record, path
        begun = draft or begin_record(run, pick_device(device))
        history = _history(folder, begun)
        now = datetime.now(UTC)
        record = begun.model_copy(
            update={
                "outcome": outcome,
                "reason": reason,
                "finished": now.isoformat(timespec="seconds"),
                "seconds": max(0.0, (now - datetime.fromisoformat(begun.started)).total_seconds()),
                "epochs": history,
                "failure": failure or Failure(phase="preparation" if draft is None else None, epoch=len(history) + 1),
            }
        )
        path = store.write(results, record, {})
        return store.read(path), path


def _history(folder: Path, begun: Record) -> list[Epoch]:
    """The epochs in the run's checkpoint, if this code wrote it."""
    with suppress(BadData, KeyError, TypeError, ValueError):
        state = checkpoint.load(folder / LAST, torch.device("cpu"))
        if state["maker"]["code"] == begun.code:
            return [Epoch.model_validate(epoch) for epoch in state["history"]]
    return []


def _ended(status: int) -> str:
    """How a process ended, by its status.

    >>> _ended(-9), _ended(70)
    ('was killed by SIGKILL', 'ended with status 70 and left no record')
    """
    if status >= 0:
        return f"ended with status {status} and left no record"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-status).name}"
    return f"was killed by signal {-status}"
