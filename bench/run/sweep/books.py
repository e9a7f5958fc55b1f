"""`ResultsBooks`: the records of a sweep in its folder of results; those of runs that left none are written here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from bench.core.record import Failure, Outcome, Record
from bench.results import store
from bench.run.found import FoundRecords
from bench.run.supervision import record_lost
from bench.run.sweep.task import Task
from bench.train.assemble import NO_RECIPE, Run
from registry.losses import parse


@dataclass
class ResultsBooks:
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

    def read(self, task: Task, path: str) -> Record:
        """The record that a task has written under this name."""
        self.found.add(self.results / path)
        return store.read(self.results / path)

    def lost(self, task: Task, outcome: Outcome, reason: str, failure: Failure | None) -> Record:
        """Write the record of a task that could not write its own."""
        recipe = parse(task.spec.recipe) if task.spec.recipe else None
        run = Run(task.spec, recipe, task.recipe_name or NO_RECIPE)
        record, path = record_lost(run, self.results, self.runs, str(self.device), outcome, reason, failure)
        self.found.add(path)
        return record
