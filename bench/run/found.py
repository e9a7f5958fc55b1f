"""`FoundRecords`: which runs a folder of records holds already, asked for by their specs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from bench.core.code import code_version
from bench.core.errors import BadData
from bench.core.finding import Finding
from bench.core.machine import environment
from bench.core.record import MetricFacts, Record
from bench.core.spec import RunSpec
from bench.results import store
from bench.train.arithmetic import arithmetic
from bench.train.assemble import names_of

Done = tuple[Record, Path]
"""A record with its file."""

_ID = re.compile(r"_([0-9a-f]{12})_\d{14}(?:-\d+)?\.json$")


@dataclass
class FoundRecords:
    """The records of a folder by the run they are of; the folder is listed once.

    Attributes:
        folder: of the records.
        device: on which runs would be made.
        metrics: facts of the metrics that a record must have beside those of every evaluation, by key.
    """

    folder: Path
    device: torch.device
    metrics: Mapping[str, MetricFacts]

    @cached_property
    def _paths(self) -> dict[str, list[Path]]:
        """Files by the id of their run, the latest first."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self.folder.glob("*.json"), reverse=True):
            if match := _ID.search(path.name):
                found.setdefault(match[1], []).append(path)
        return found

    def finished(self, spec: RunSpec) -> Done | None:
        """A finished record of this very run, by this code on this kind of arithmetic, with the metrics asked for."""
        return next((done for done in self._alike(spec) if done[0].outcome == "finished"), None)

    def failed(self, spec: RunSpec) -> Done | None:
        """The latest record of this very run, by this code on this kind of arithmetic, that did not finish."""
        return next((done for done in self._alike(spec) if done[0].outcome != "finished"), None)

    def audit(self, spec: RunSpec) -> list[Finding] | None:
        """What the audit found for this very run, by this code; None where no record tells."""
        return next((record.audit for record, _ in self._alike(spec)), None)

    def add(self, path: Path) -> None:
        """A record was written."""
        if match := _ID.search(path.name):
            self._paths.setdefault(match[1], []).insert(0, path)

    def _alike(self, spec: RunSpec) -> Iterator[Done]:
        if spec.id not in self._paths:
            return
        code, bits = code_version(*names_of(spec)), arithmetic(self.device, spec.precision)
        here = environment(self.device).fingerprint
        for path in self._paths[spec.id]:
            try:
                record = store.read(path)
            except BadData:  # the page names it
                continue
            same = record.arithmetic == bits if record.arithmetic else record.fingerprint == here
            if record.code == code and same and self._has_metrics(record, self.metrics):
                yield record, path

    @staticmethod
    def _has_metrics(record: Record, wanted: Mapping[str, MetricFacts]) -> bool:
        return record.outcome != "finished" or all(record.metrics.get(key) == facts for key, facts in wanted.items())
