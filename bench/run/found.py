"""`FoundRecords`: which runs a folder of records holds already, found by their specs."""

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
from bench.core.record import UNTUNED, MetricFacts, Record
from bench.core.spec import RunSpec
from bench.results import store
from bench.results.board.row import settled
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

    def finished(self, spec: RunSpec, division: str | None = UNTUNED) -> Done | None:
        """The finished record of this very run, by this code on this kind of arithmetic, with the requested metrics.

        Of several the first, which the leaderboard shows too: later ones are its repetitions.

        Args:
            spec: of the run.
            division: that the record is of; None for any, as a run has one outcome in all.
        """
        return next(iter(self._repetitions(spec, division)), None)

    def alarms(self, spec: RunSpec) -> list[str]:
        """Contradictions: repetitions of this run, by this code and on this arithmetic, that differ from the first."""
        return settled((path.name, record) for record, path in self._repetitions(spec, None))[1]

    def failed(self, spec: RunSpec, division: str | None = UNTUNED) -> Done | None:
        """The latest record of this very run, by this code on this kind of arithmetic, that did not finish."""
        return next((done for done in self._sound(spec, division) if done[0].outcome != "finished"), None)

    def audit(self, spec: RunSpec) -> list[Finding] | None:
        """What the audit found for this very run, by this code; None where no record tells."""
        return next((record.audit for (record, _), fault in self._of(spec) if fault is None), None)

    def faults(self, spec: RunSpec) -> list[str]:
        """Why finished records of this run are not taken for it, such as "is of other code"."""
        damaged = {"is damaged" for path in self.paths(spec) if _read(path) is None}
        found = {fault for (record, _), fault in self._of(spec) if fault is not None and record.outcome == "finished"}
        return sorted(damaged | found)

    def paths(self, spec: RunSpec) -> list[Path]:
        """Files of the records of a run, whatever their outcome, the latest first."""
        return self._paths.get(spec.id, [])

    def add(self, path: Path) -> None:
        """A record was written."""
        if match := _ID.search(path.name):
            self._paths.setdefault(match[1], []).insert(0, path)

    @cached_property
    def _paths(self) -> dict[str, list[Path]]:
        """Files by the id of their run, the latest first."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self.folder.glob("*.json"), reverse=True):
            if match := _ID.search(path.name):
                found.setdefault(match[1], []).append(path)
        return found

    def _sound(self, spec: RunSpec, division: str | None) -> Iterator[Done]:
        """The records of a run that nothing is wrong with."""
        for done, fault in self._of(spec):
            if fault is None and division in (None, done[0].division):
                yield done

    def _repetitions(self, spec: RunSpec, division: str | None) -> list[Done]:
        """Finished records of this very run, by this code on this kind of arithmetic, the first of them first."""
        found = [done for done in self._sound(spec, division) if done[0].outcome == "finished"]
        return sorted(found, key=lambda done: (done[0].finished, done[1].name))

    def _of(self, spec: RunSpec) -> Iterator[tuple[Done, str | None]]:
        """The records of a run that can be read, each with what is wrong with it."""
        if not self.paths(spec):
            return
        code, bits = code_version(*names_of(spec)), arithmetic(self.device, spec.precision)
        here = environment(self.device).fingerprint
        for path in self.paths(spec):
            record = _read(path)
            if record is not None:
                same = record.arithmetic == bits if record.arithmetic else record.fingerprint == here
                yield (record, path), self._fault(record, record.code == code, same)

    def _fault(self, record: Record, same_code: bool, same_arithmetic: bool) -> str | None:
        if not same_code:
            return "is of other code"
        if not same_arithmetic:
            return "is of another machine or another version of torch"
        has_metrics = all(record.metrics.get(key) == facts for key, facts in self.metrics.items())
        return "lacks a metric" if record.outcome == "finished" and not has_metrics else None


def _read(path: Path) -> Record | None:
    """A record; None where it is damaged, which the page says."""
    try:
        return store.read(path)
    except BadData:
        return None
