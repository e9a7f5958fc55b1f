"""Choosing precision and memory format: as the leaderboard row has it, else the fastest, measured once a machine."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict

from bench.core import files
from bench.core.choice import Candidate, Choice
from bench.core.code import own_code
from bench.core.files import canonical_json
from bench.core.machine import environment
from bench.core.progress import Progress, no_progress
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.data.source import Source
from bench.run.choice import candidates, default, fastest
from bench.run.fastest import rates_of

WORTH_MEASURING = 100
"""Steps; a shorter run would gain less than measuring takes, which is about twenty steps."""

Measure = Callable[[RunSpec, Sequence[Candidate], Source, torch.device, Progress], dict[Candidate, float]]


class _Measured(BaseModel):
    """A file of the cache: what the rates are of, and the rates, the preferred candidate first.

    Attributes:
        code: of a user's own model, `own_code`; what is registered keeps its rates through changes of the code.
    """

    model_config = ConfigDict(extra="forbid")

    machine: str
    model: str
    code: str
    size: int
    batch: int
    candidates: list[str]
    rates: dict[str, float] = {}

    def path(self, folder: Path) -> Path:
        key = canonical_json(self.model_dump(exclude={"rates"}))
        return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:12]}.json"


@dataclass
class Chooser:
    """Settles what the specs of an experiment leave open; the same question always gets the same answer.

    The finished records of the same leaderboard row (model, recipe, protocol and data, any seed) decide first: those
    of this machine, then those of others where this device can do it too. Then what was measured here for the model
    at this size and batch, then measuring, which is kept in ``runs/fastest/`` before anything is trained.

    Attributes:
        source: where batches come from, on ``device``.
        runs, results: folders of the cache, and of the records.
        precision, layout: names, or ``auto``.
        announce: told of what is chosen, in words.
        tell: told how far measuring is.
        measure: rates by candidate, see `rates_of`.

    Raises:
        BenchError: an unknown precision or memory format.
    """

    source: Source
    device: torch.device
    runs: Path
    results: Path
    precision: str = "auto"
    layout: str = "auto"
    announce: Callable[[str], None] = lambda words: None
    tell: Progress = no_progress
    measure: Measure = rates_of
    _settled: dict[str, Choice] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._among = candidates(self.device, self.precision, self.layout)

    def settle(self, spec: RunSpec) -> tuple[RunSpec, Choice | None]:
        """The spec in the precision and memory format chosen for it, and the choice.

        The choice is None where there was none: both were asked for by name, or nothing is learnt.
        """
        if not spec.recipe:
            return spec, None
        if "auto" not in (self.precision, self.layout):
            return spec.model_copy(update=self._among[0]._asdict()), None
        if spec.cell not in self._settled:
            choice = self._settled[spec.cell] = self._choose(spec)
            self.announce(f"{spec.model}: {choice.words}")
        choice = self._settled[spec.cell]
        return spec.model_copy(update=choice.candidate._asdict()), choice

    def _choose(self, spec: RunSpec) -> Choice:
        row = self._row(spec)
        if row is not None and row.fingerprint == self._here and row.choice is not None:
            return row.choice
        stage = spec.protocol.stages[-1]
        names = [str(one) for one in self._among]
        key = _Measured(
            machine=self._here,
            model=spec.model,
            code=own_code(spec.model),
            size=stage.size,
            batch=stage.batch,
            candidates=names,
        )
        path = key.path(self.runs / "fastest")
        known = self._read(path, key)
        if row is not None:
            agreed = Candidate.of(row.spec)
            return known if known and known.candidate == agreed else _chosen(agreed, "records")
        if known is not None:
            return known
        if len(self._among) == 1 or spec.protocol.steps < WORTH_MEASURING:
            return _chosen(default(self.device, self._among), "default")
        with _alone(path.parent):
            known = self._read(path, key)  # another run may have measured it while this one waited
            if known is not None:
                return known
            self.announce(f"{spec.model}: measuring which of {', '.join(names)} is the fastest ...")
            rates = self.measure(spec, self._among, self.source, self.device, self.tell)
            if not rates:  # what is wrong shows in the run itself
                return _chosen(default(self.device, self._among), "default")
            key.rates = {str(one): rate for one, rate in rates.items()}
            files.replace(path, key.model_dump_json(indent=1) + "\n")
            return _measured(rates)

    def _read(self, path: Path, key: _Measured) -> Choice | None:
        """What was measured earlier; a damaged file counts as none."""
        with suppress(OSError, ValueError):
            kept = _Measured.model_validate_json(path.read_text(encoding="utf-8"))
            rates = {one: kept.rates[str(one)] for one in self._among if str(one) in kept.rates}
            if kept.model_copy(update={"rates": {}}) == key and rates and min(rates.values()) > 0:
                return _measured(rates)
        return None

    def _row(self, spec: RunSpec) -> Record | None:
        """The record that a leaderboard row's precision and memory format are taken from, if it has one."""
        same = [
            record
            for record in self._records
            if record.spec.model_copy(update={**Candidate.of(spec)._asdict(), "seed": spec.seed}).id == spec.id
        ]
        able = [record for record in same if Candidate.of(record.spec) in self._among]
        if same and not able:
            theirs = ", ".join(sorted({Candidate.of(record.spec).label for record in same}))
            self.announce(f"{spec.model}: its records are {theirs}, not taken here: these runs make another row")
        return min(able, key=lambda record: (record.fingerprint != self._here, record.finished), default=None)

    @cached_property
    def _here(self) -> str:
        return environment(self.device).fingerprint

    @cached_property
    def _records(self) -> list[Record]:
        """All finished records of networks; a damaged one is none, the leaderboard names it."""
        found = []
        for path in sorted(self.results.glob("*.json")):
            with suppress(ValueError):  # pydantic's, JSON's and UTF-8's errors are ValueErrors
                record = Record.model_validate_json(path.read_text(encoding="utf-8"))
                if record.outcome == "finished" and record.spec.recipe:
                    found.append(record)
        return found


def _measured(rates: Mapping[Candidate, float]) -> Choice:
    precision, layout = fastest(rates)
    shown = {str(one): rate for one, rate in rates.items()}
    return Choice(precision=precision, layout=layout, origin="measured", rates=shown)


def _chosen(candidate: Candidate, origin: str) -> Choice:
    return Choice.model_validate({**candidate._asdict(), "origin": origin})


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process measures here: two at once would slow each other down, and might disagree."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
