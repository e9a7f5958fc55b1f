"""`StoredTaskRecords`: a sweep's records in its folder of results; those of runs that left none are written here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from bench.core.code import code_version
from bench.core.machine import environment
from bench.core.record import Failure, Outcome, Record, TrialRecord
from bench.results import store
from bench.results.store import trials
from bench.run.found import FoundRecords
from bench.run.supervision import record_lost
from bench.run.sweep.task import Task, Trial
from bench.train.arithmetic import arithmetic
from bench.train.assemble import NO_RECIPE, Run, names_of
from bench.train.checkpoints.training_state import LAST
from registry.losses import parse


@dataclass
class StoredTaskRecords:
    """Reads and writes the records of a sweep's runs.

    Attributes:
        results, runs: folders of records and of checkpoints.
        device: on which runs are made.
        found: kept up to date.
    """

    results: Path
    runs: Path
    device: torch.device
    found: FoundRecords

    def read(self, task: Task, path: str) -> Record | TrialRecord:
        """The record that a task has written under this name."""
        if task.trial is not None:
            return trials.read(self.results / trials.FOLDER / path)
        self.found.add(self.results / path)
        return store.read(self.results / path)

    def lost(self, task: Task, outcome: Outcome, reason: str, failure: Failure | None) -> Record | TrialRecord:
        """Write the record of a task that could not write its own; of one that was ended it says what is left."""
        if outcome in ("timeout", "killed"):
            kept = (self.runs / task.spec.id / LAST).exists()
            reason = f"{reason}; {'its checkpoint is kept' if kept else 'it had written no checkpoint'}"
        if task.trial is not None:
            return trials.read(trials.write(self.results, self._lost_trial(task, task.trial, outcome, reason, failure)))
        recipe = parse(task.spec.recipe) if task.spec.recipe else None
        run = Run(task.spec, recipe, task.recipe_name or NO_RECIPE, tuning=task.tuning)
        record, path = record_lost(run, self.results, self.runs, str(self.device), outcome, reason, failure)
        self.found.add(path)
        return record

    def _lost_trial(
        self, task: Task, trial: Trial, outcome: Outcome, reason: str, failure: Failure | None
    ) -> TrialRecord:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return TrialRecord(
            id=task.spec.id,
            spec=task.spec,
            recipe_name=task.recipe_name,
            parameter=trial.parameter,
            value=trial.value,
            epochs_done=0,
            outcome=outcome,
            reason=reason,
            failure=failure,
            validation={},
            epochs=[],
            started=now,
            finished=now,
            seconds=0.0,
            code=code_version(*names_of(task.spec)),
            arithmetic=arithmetic(self.device, task.spec.precision),
            environment=environment(self.device),
        )
