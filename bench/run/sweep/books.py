"""`ResultsBooks`: the records of a sweep in its folder of results; those of runs that left none are written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import torch

from bench.core.code import code_version
from bench.core.machine import environment
from bench.core.record import Failure, Outcome, Record, Timings
from bench.results import store
from bench.run.found import FoundRecords
from bench.run.sweep.task import Task
from bench.train.arithmetic import arithmetic
from bench.train.assemble import NO_RECIPE, names_of

_NOTHING = Timings(
    steps=0, seconds=0.0, images_per_second=None, step_ms=None, blocks={}, closure=None, perturbation=None
)


@dataclass
class ResultsBooks:
    """Reads and writes the records of a sweep's runs.

    Attributes:
        folder: of the records.
        device: on which runs are made.
        found: kept up to date.
        parameters: of models, by key, as far as they are known.
    """

    folder: Path
    device: torch.device
    found: FoundRecords
    parameters: Mapping[str, int]

    def read(self, task: Task, path: str) -> Record:
        """The record that a task has written under this name."""
        self.found.add(self.folder / path)
        return store.read(self.folder / path)

    def lost(self, task: Task, outcome: Outcome, reason: str, failure: Failure, seconds: float) -> Record:
        """Write the record of a task that could not write its own."""
        now, spec = datetime.now(UTC), task.spec
        where = environment(self.device)
        record = Record(
            id=spec.id,
            cell=spec.cell,
            spec=spec,
            recipe_name=task.recipe_name or NO_RECIPE,
            outcome=outcome,
            reason=reason,
            started=(now - timedelta(seconds=seconds)).isoformat(timespec="seconds"),
            finished=now.isoformat(timespec="seconds"),
            seconds=seconds,
            code=code_version(*names_of(spec)),
            environment=where,
            fingerprint=where.fingerprint,
            parameters=self.parameters.get(spec.model, 0),
            gmacs=None,
            loading="none",
            epochs=[],
            best_epoch=None,
            test={},
            timings=_NOTHING,
            evaluation=_NOTHING,
            peak_mib=0.0,
            failure=failure,
            arithmetic=arithmetic(self.device, spec.precision),
        )
        path = store.write(self.folder, record, {})
        self.found.add(path)
        return store.read(path)
