"""The records of runs whose process ended before they did, written by whoever started that process."""

from __future__ import annotations

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


def record_lost(
    run: Run | RunSpec,
    results: Path,
    runs: Path,
    device: str,
    outcome: Outcome,
    reason: str,
    failure: Failure | None = None,
) -> tuple[Record, Path]:
    """Record how a run ended whose process left no record.

    Its checkpoint stays: the run resumes from it.

    Args:
        run: that the process made.
        results, runs: folders of records and of runs, as the process had them.
        device: on which it computed, as on the command line.
        outcome, reason: how it ended, and why.
        failure: what is known of it; None for what the run's folder tells.

    Returns:
        The record and its file; that of the process itself, where it came as far as to write it.

    Raises:
        Busy: a process makes this very run.
        BenchError: the record cannot be written.
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
