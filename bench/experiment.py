"""An experiment: models under one loss, one protocol and one source, with the baselines that learn nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.data.source import Source
from bench.environment import code_version, environment, pick_device, pick_precision
from bench.optim import optimizers, schedules
from bench.protocol import Protocol
from bench.report.pages import pages
from bench.results import store
from bench.results.board import data_label
from bench.results.record import Record
from bench.runner import Runner, discard
from bench.spec import RunSpec
from bench.watch import Watcher
from registry.losses import parse
from registry.models import models

BASELINES = ("difference", "constant", "mean_map")


@dataclass
class Experiment:
    """What ``bench run`` does; the same from Python.

    Attributes:
        models: keys of `registry.models`.
        loss: a recipe's name or text.
        protocol, seeds, source: under which budget, how often, on which data.
        precision, device: as on the command line.
        results, runs: folders of records, and of checkpoints and pictures.
        again: run even what this machine and this code have a finished record of.
        fresh: begin anew where an unfinished run left a checkpoint.
        baselines: also fit those that learn nothing, unless they have records.

    Raises:
        RegistryError, BenchError: a name or value that does not exist; before anything is run.
    """

    models: Sequence[str]
    loss: str
    protocol: Protocol
    seeds: Sequence[int]
    source: Source
    precision: str = "auto"
    device: str = "auto"
    results: Path = Path("results")
    runs: Path = Path("runs")
    again: bool = False
    fresh: bool = False
    baselines: bool = True
    failed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._device = pick_device(self.device)
        self._precision = pick_precision(self._device, self.precision)
        self._recipe = parse(self.loss)
        self._keys = [models.canonical(key) for key in self.models]
        optimizers.resolve(self.protocol.optimizer)
        schedules.resolve(self.protocol.schedule)
        self._floor: list[Record] = []

    def headline(self) -> str:
        """What will be run, in two lines."""
        data = data_label(self.source.describe()).replace("*", "")
        return (
            f"{self.protocol.label} on {data}; {environment(self._device).label}; {self._precision}\n"
            f"loss: {self._recipe.text}"
        )

    def run(self, watcher: Watcher, announce: Callable[[str], None]) -> Iterator[tuple[Record, Path, bool]]:
        """Run everything; yields each record with its file and whether it was made just now."""
        runner = Runner(self.source.to(self._device), self._device, self.runs, self.results, watcher)
        for spec in self._specs():
            name = self.loss if spec.recipe else "none"
            found = self._found(spec)
            if found is None:
                if self.fresh:
                    discard(self.runs, spec)
                announce(f"{spec.model}, seed {spec.seed} ({spec.id})")
                record, path = runner.run(spec, name)
            else:
                path, record = found
            if not spec.recipe:
                self._floor.append(record)
            self.failed |= record.outcome != "finished"
            yield record, path, found is None

    def floor(self) -> list[Record]:
        """The records of the baselines seen so far."""
        return self._floor

    def write_leaderboard(self, page: Path) -> None:
        """Regenerate the page, the excerpt in a README beside it, and the records' schema."""
        for path, text in pages(self.results, page).items():
            store.replace(path, text)

    def _specs(self) -> Iterator[RunSpec]:
        data = self.source.describe()
        blank = [] if not self.baselines else [key for key in BASELINES if key not in self._keys]
        if any(key in BASELINES for key in self._keys) or blank:
            for key in [*blank, *(key for key in self._keys if key in BASELINES)]:
                yield RunSpec(model=key, recipe="", protocol=self.protocol, data=data, precision="float32", seed=0)
        for seed in self.seeds:
            for key in self._keys:
                if key not in BASELINES:
                    yield RunSpec(
                        model=key,
                        recipe=self._recipe.text,
                        protocol=self.protocol,
                        data=data,
                        precision=self._precision,
                        seed=seed,
                    )

    def _found(self, spec: RunSpec) -> tuple[Path, Record] | None:
        """A finished record of this very run, made by this code on this machine."""
        if self.again and spec.recipe:
            return None
        here = environment(self._device).fingerprint
        for path in sorted(self.results.glob(f"*_{spec.id}_*.json"), reverse=True):
            record = Record.model_validate_json(path.read_text())
            if (record.outcome, record.code, record.fingerprint) == ("finished", code_version(), here):
                return path, record
        return None
