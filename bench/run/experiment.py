"""An experiment: models under one loss, one protocol and one source, with the baselines that learn nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from pydantic import ValidationError

from bench.audit.audit import audit
from bench.core import files
from bench.core.code import code_version
from bench.core.errors import BenchError
from bench.core.finding import Finding, Unsound, broken, headline
from bench.core.machine import environment, pick_device
from bench.core.protocol import Protocol
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.data.augment import parse as parse_augmentation
from bench.data.source import Source
from bench.report.pages import pages
from bench.results.board import data_label
from bench.run.choice import candidates
from bench.run.chooser import Chooser
from bench.run.runner import Runner, discard
from bench.train.compatibility import check_sizes
from bench.train.events import Listener
from bench.train.optim import optimizers, schedules
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
        precision, layout, device: as on the command line; ``auto`` is settled by a `Chooser`, once a model.
        results, runs: folders of records, and of checkpoints and pictures.
        again: run even what this machine and this code have a finished record of.
        fresh: begin anew where an unfinished run left a checkpoint.
        baselines: also fit those that learn nothing, unless they have records.
        strict: run nothing at all if the audit of any model finds something broken.

    Raises:
        RegistryError, BenchError: a name or value that does not exist; before anything is run.
    """

    models: Sequence[str]
    loss: str
    protocol: Protocol
    seeds: Sequence[int]
    source: Source
    precision: str = "auto"
    layout: str = "auto"
    device: str = "auto"
    results: Path = Path("results")
    runs: Path = Path("runs")
    again: bool = False
    fresh: bool = False
    baselines: bool = True
    strict: bool = False
    failed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._device = pick_device(self.device)
        candidates(self._device, self.precision, self.layout)  # a mistake in a name shows here
        self._recipe = parse(self.loss)
        self._keys = [models.canonical(key) for key in self.models]
        self._data = self.source.describe()
        self._try_out()
        self._floor: list[Record] = []
        self._audits: dict[str, list[Finding]] = {}

    def _try_out(self) -> None:
        """Build once what the experiment names, so that a mistake shows before anything is trained."""
        protocol = self.protocol
        parse_augmentation(protocol.augmentation)
        largest = max(stage.batch for stage in protocol.stages)
        if protocol.train_samples < largest:
            raise BenchError(f"{protocol.train_samples} training samples make no batch of {largest}: give more samples")
        if "depth" in self._recipe.heads and not self.source.has_depth:
            raise BenchError(
                "the recipe has depth terms but the data has no depth: give it with --bg-depth, "
                "or take a recipe without it, such as --loss 'mask: bce'"
            )
        try:
            optimizer = optimizers.build(protocol.optimizer)([torch.nn.Parameter(torch.zeros(1))])
            schedules.build(protocol.schedule)(optimizer, 10)
            for key in self._keys:
                model = models.build(key)
                if key not in BASELINES:
                    check_sizes(self._spec(key, 0), model)
        except (ValueError, ZeroDivisionError, TypeError) as error:
            raise BenchError(f"that cannot be built: {error}") from error

    def headline(self) -> str:
        """What will be run, in two lines."""
        data = data_label(self.source.describe()).replace("*", "")
        asked = [name for name in (self.precision, self.layout) if name != "auto"]
        where = "; ".join([f"{self.protocol.label} on {data}", environment(self._device).label, *asked])
        return f"{where}\nloss: {self._recipe.text}"

    def run(self, listener: Listener, announce: Callable[[str], None]) -> Iterator[tuple[Record, Path, bool]]:
        """Run everything; yields each record with its file and whether it was made just now.

        Raises:
            Unsound: the audit found something broken and this is ``strict``; nothing was written.
        """
        runner = Runner(self.source.to(self._device), self._device, self.runs, self.results, listener)
        if self.strict:
            self._refuse(runner, announce)
        folders, asked = (self.runs, self.results), (self.precision, self.layout)
        chooser = Chooser(runner.source, self._device, *folders, *asked, announce, listener.preparing)
        for spec, choice in map(chooser.settle, self._specs()):
            name = self.loss if spec.recipe else "none"
            found = self._found(spec)
            if found is None:
                if self.fresh:
                    discard(self.runs, spec)
                announce(f"{spec.model}, seed {spec.seed} ({spec.id})")
                audited = self._audit(spec.model, runner, announce) if spec.recipe else []
                record, path = runner.run(spec, name, audited, choice)
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
            files.replace(path, text)

    def _audit(self, key: str, runner: Runner, announce: Callable[[str], None]) -> list[Finding]:
        """What the audit finds for a model, once for all its seeds; announced in one line."""
        if key not in self._audits:
            self._audits[key] = audit(
                self._recipe, runner.source, self.protocol, key, progress=runner.listener.preparing
            )
            announce(headline(self._audits[key]))
        return self._audits[key]

    def _refuse(self, runner: Runner, announce: Callable[[str], None]) -> None:
        for key in (key for key in self._keys if key not in BASELINES):
            worst = broken(self._audit(key, runner, announce))
            if worst:
                lines = [f"  {verdict.check}: {verdict.finding}; {verdict.advice}" for verdict in worst]
                raise Unsound("\n".join([f"{key} is not trained, as the audit found:", *lines]))

    def _specs(self) -> Iterator[RunSpec]:
        blank = [key for key in BASELINES if key in self._keys or self.baselines]
        for key in blank:
            yield self._spec(key, 0)
        for seed in self.seeds:
            for key in self._keys:
                if key not in BASELINES:
                    yield self._spec(key, seed)

    def _spec(self, key: str, seed: int) -> RunSpec:
        """A model's spec, precision and memory format still open; a baseline has no recipe, and needs none of them."""
        learns = key not in BASELINES
        return RunSpec(
            model=key,
            recipe=self._recipe.text if learns else "",
            protocol=self.protocol,
            data=self._data,
            seed=seed,
        )

    def _found(self, spec: RunSpec) -> tuple[Path, Record] | None:
        """A finished record of this very run, made by this code on this machine."""
        if self.again and spec.recipe:
            return None
        here = environment(self._device).fingerprint
        for path in sorted(self.results.glob(f"*_{spec.id}_*.json"), reverse=True):
            with suppress(ValidationError):  # a damaged record is none; the leaderboard names it
                record = Record.model_validate_json(path.read_text(encoding="utf-8"))
                code = code_version(spec.model, spec.recipe)
                if (record.outcome, record.code, record.fingerprint) == ("finished", code, here):
                    return path, record
        return None
