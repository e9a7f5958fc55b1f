"""`FoundTrials`: which trials a folder of records holds already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from bench.core.code import code_version
from bench.core.errors import BadData
from bench.core.record import TrialRecord
from bench.results import store
from bench.results.store import trials
from bench.run.sweep.task import Task
from bench.train.arithmetic import arithmetic
from bench.train.assemble import names_of

_SETTLED = ("finished", "diverged")
"""Outcomes of a trial that would be the same again."""


@dataclass
class FoundTrials:
    """The trials in a folder by what was tried.

    Attributes:
        results: folder of the records, above that of the trials.
        device: on which trials would be made.
    """

    results: Path
    device: torch.device

    def path(self, task: Task) -> Path | None:
        """The file of a trial that has its score, or diverged; None where there is none."""
        return next((path for path, record in self._alike(task) if record.outcome in _SETTLED), None)

    def get(self, task: Task) -> TrialRecord | None:
        """A trial's record: one with its score if there is one, else how it failed last."""
        records = [record for _, record in self._alike(task)]
        return next((record for record in records if record.outcome in _SETTLED), records[0] if records else None)

    def _alike(self, task: Task) -> Iterator[tuple[Path, TrialRecord]]:
        """Records of this trial, by this code on this arithmetic: of as many epochs, or ended before them."""
        assert task.trial is not None
        found = self._by_id.get(task.spec.id, [])
        if not found:
            return
        code, bits = code_version(*names_of(task.spec)), arithmetic(self.device, task.spec.precision)
        for path, record in found:
            whole = record.epochs_done == task.trial.epochs or record.outcome != "finished"
            if whole and record.code == code and record.arithmetic == bits:
                yield path, record

    @cached_property
    def _by_id(self) -> dict[str, list[tuple[Path, TrialRecord]]]:
        """Records by the id of what was trained, the latest first."""
        found: dict[str, list[tuple[Path, TrialRecord]]] = {}
        for path in sorted((self.results / trials.FOLDER).glob("*.json"), reverse=True):
            if path.name == store.SCHEMA:
                continue
            try:
                record = trials.read(path)
            except BadData:
                continue
            found.setdefault(record.id, []).append((path, record))
        return found
