"""An experiment: models under one loss, one protocol and one source, with the baselines that learn nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from bench.audit.audit import audit
from bench.core import files
from bench.core.code import code_version
from bench.core.errors import BadData, BenchError
from bench.core.finding import Finding, Unsound, broken, headline
from bench.core.machine import environment, pick_device, pick_memory_format, pick_precision
from bench.core.protocol import Protocol
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.data.augment import parse as parse_augmentation
from bench.data.source import Source
from bench.data.split import FRACTIONS
from bench.metrics import metrics as all_metrics
from bench.metrics.scores import Scores
from bench.report.pages import pages
from bench.results import store
from bench.results.board import data_label
from bench.run.runner import Runner, discard
from bench.train.compatibility import check_sizes
from bench.train.engine import engine_for, engine_named
from bench.train.events import Listener
from registry.contract import Prediction
from registry.losses import parse
from registry.models import models
from registry.optimizers import optimizers
from registry.schedules import schedules

BASELINES = ("difference", "constant", "mean_map")


@dataclass
class Experiment:
    """What ``bench run`` does; the same from Python.

    Attributes:
        models: keys of `registry.models`.
        loss: a recipe's name or text.
        protocol, seeds, source: under which budget, how often, on which data.
        precision, memory_format, device: as on the command line; ``auto`` is what the device computes in natively.
        engine: what runs a step; ``auto`` follows from facts, see `bench.train.engine`.
        results, runs: folders of records, and of checkpoints and pictures.
        again: run even what this machine and this code have a finished record of.
        fresh: begin anew where an unfinished run left a checkpoint.
        baselines: also fit those that learn nothing, unless they have records.
        metrics: keys of metrics beside those of every evaluation: a user's own, or another library's.
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
    memory_format: str = "auto"
    engine: str = "auto"
    device: str = "auto"
    results: Path = Path("results")
    runs: Path = Path("runs")
    again: bool = False
    fresh: bool = False
    baselines: bool = True
    strict: bool = False
    metrics: Sequence[str] = ()
    failed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.protocol = _within(self.protocol, self.source)
        self._device = pick_device(self.device)
        self._precision = pick_precision(self._device, self.precision)
        self._memory_format = pick_memory_format(self.memory_format)
        if self.engine != "auto":
            engine_named(self.engine, self._device)
        self._recipe = parse(self.loss)
        self._keys = [models.canonical(key) for key in self.models]
        self._data = self.source.describe()
        self._metrics = {metric.key: metric.facts for metric in map(all_metrics.bind, self.metrics)}
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
        self._try_metrics()

    def _try_metrics(self) -> None:
        """Score two images by the metrics that were asked for."""
        quartet = self.source.render("val", torch.arange(min(2, self.protocol.val_samples)), self.protocol.size)
        logits = torch.zeros_like(quartet.bg_fg[:, :1])
        for key in self._metrics:
            try:
                Scores([key]).update(Prediction(logits, logits), quartet)
            except Exception as error:  # whatever somebody's metric raises
                raise BenchError(f"metric {key} cannot be computed: {type(error).__name__}: {error}") from error

    def headline(self) -> str:
        """What will be run, in two lines."""
        data = data_label(self.source.describe()).replace("*", "")
        asked = [name for name in (self.precision, self.memory_format) if name != "auto"]
        where = "; ".join([f"{self.protocol.label} on {data}", environment(self._device).label, *asked])
        return f"{where}\nloss: {self._recipe.text}"

    def run(self, listener: Listener, announce: Callable[[str], None]) -> Iterator[tuple[Record, Path, bool]]:
        """Run everything; yields each record with its file and whether it was made just now.

        Raises:
            Unsound: the audit found something broken and this is ``strict``; nothing was written.
        """
        runner = Runner(
            self.source.to(self._device), self._device, self.runs, self.results, listener, list(self._metrics)
        )
        if self.strict:
            self._refuse(runner, announce)
        for spec in self._specs():
            name = self.loss if spec.recipe else "none"
            found = self._found(spec)
            if found is None:
                if self.fresh:
                    discard(self.runs, spec)
                announce(f"{spec.model}, seed {spec.seed} ({spec.id})")
                audited = self._audit(spec.model, runner, announce) if spec.recipe else []
                record, path = runner.run(spec, name, audited)
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
        """A model's spec; a baseline has no recipe, and computes nothing that a precision would change."""
        learns = key not in BASELINES
        return RunSpec(
            model=key,
            recipe=self._recipe.text if learns else "",
            protocol=self.protocol,
            data=self._data,
            precision=self._precision if learns else "float32",
            memory_format=self._memory_format if learns else "channels_last",
            engine=engine_for(self.engine, self._device, key, self.protocol) if learns else "eager",
            seed=seed,
        )

    def _found(self, spec: RunSpec) -> tuple[Path, Record] | None:
        """A finished record of this very run by this code on this machine, with the metrics that were asked for."""
        if self.again and spec.recipe:
            return None
        here = environment(self._device).fingerprint
        for path in sorted(self.results.glob(f"*_{spec.id}_*.json"), reverse=True):
            with suppress(BadData):  # a damaged record is none; the leaderboard names it
                record = store.read(path)
                code = code_version(spec.model, spec.recipe)
                same = (record.outcome, record.code, record.fingerprint) == ("finished", code, here)
                if same and all(record.metrics.get(key) == facts for key, facts in self._metrics.items()):
                    return path, record
        return None


def _within(protocol: Protocol, source: Source) -> Protocol:
    """The protocol with no more samples than the parts of the data have: none is counted twice in a score."""
    there = {part: source.count(part) for part in FRACTIONS}
    few = {
        f"{part}_samples": count
        for part, count in there.items()
        if count is not None and count < getattr(protocol, f"{part}_samples")
    }
    return protocol.override(**few) if few else protocol
