"""`Runner`: makes a run and writes its record, however it ends; listeners are called after that."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from bench.core.errors import BadData, CannotWrite
from bench.core.finding import Finding
from bench.core.interruption import Interruption
from bench.core.machine import steady_arithmetic, untried_shapes
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.data.loading.loader import Loader
from bench.data.seen_groups import SeenGroups
from bench.data.source import Source
from bench.data.split import HALF_SHARED, Part
from bench.metrics import metrics as all_metrics
from bench.metrics.attributes import PREFIX, camera_columns
from bench.profile.disturbance.monitor import ClockSampler
from bench.results import store
from bench.run import folder as run_folder
from bench.run import trained_on
from bench.run.found import Done
from bench.run.run_record import begin_record, complete_record
from bench.run.sample_columns import sample_columns
from bench.run.shared_loaders import SharedLoaders
from bench.timing import memory
from bench.timing.ledger import Ledger
from bench.train.assemble import Run, autocast_of, build_model
from bench.train.checkpoints import checkpoint
from bench.train.checkpoints.training_state import BEST
from bench.train.checks.trial import size_of
from bench.train.evaluate import Evaluation, evaluate
from bench.train.events import Listener, Observers, Preview
from bench.train.isolation.process_state import ProcessState, check_unaltered
from bench.train.isolation.settings import Alteration
from bench.train.loop import TrainingResult, train
from registry.contract import Prediction, Quartet
from registry.errors import ContractError
from registry.losses.recipe import HEADS
from registry.models.baselines import Fitted


@dataclass
class Runner:
    """Makes runs on a source and a device; samples rendered for a run are kept for the next.

    Attributes:
        source: on ``device`` already.
        device: that runs compute on.
        runs: folder of checkpoints, pictures and event files, a folder a run.
        results: folder of records.
        listener: called at every event of a run.
        interruption: checked after every step.
        metrics: keys of metrics beside those of every evaluation.
        share: runs that compute on the device at once; timings are worth something with 1 alone.
        loaders: makes loaders of samples; a subclass may know where samples lie ready.
        resume_anyway: go on from checkpoints of other code or arithmetic, too.
    """

    source: Source
    device: torch.device
    runs: Path
    results: Path
    listener: Listener = field(default_factory=Listener)
    interruption: Interruption = field(default_factory=Interruption)
    metrics: Sequence[str] = ()
    share: int = 1
    loaders: type[Loader] = Loader
    resume_anyway: bool = False

    def __post_init__(self) -> None:
        memory.keep_freed(self.device)
        self._tiers: set[str] = set()  # of the run's training samples
        self._shared = SharedLoaders(self.source, self.runs / "packed", self._preparing, self.loaders)

    def run(
        self, run: Run, audit: Sequence[Finding] = (), unless: Callable[[], Done | None] = lambda: None
    ) -> tuple[Record, Path]:
        """Train and test; the record is written however the run ends.

        Args:
            run: what to make.
            audit: what the audit found, for the record.
            unless: called once the run is locked; a record that it returns is taken instead.

        Returns:
            The record and its file.

        Raises:
            Busy: another process makes this run.
            BenchError: its results cannot be written.
            Interrupted, KeyboardInterrupt: a signal requested to stop; the last checkpoint stays for the next try.
        """
        folder = self._folder(run)
        with run_folder.locked(folder):
            done = unless()
            if done is not None:
                return done
            return self._run(run, folder, audit)

    def _run(self, run: Run, folder: Path, audit: Sequence[Finding]) -> Done:
        began = time.perf_counter()
        draft = begin_record(run, self.device, size_of(run, self.device), audit, self.source)
        run_folder.prepare(folder, draft)
        if run.recipe:  # others leave no weights to be evaluated elsewhere
            before = frozenset() if run.init is None else trained_on.read(run.init.path.parent)
            trained_on.keep(folder, self.source, run.spec.protocol.train_samples, before)
        observers = Observers(
            training=Ledger(self.device, gauge=ClockSampler(self.device, alongside=True)),
            evaluation=Ledger(self.device),
            memory=memory.PeakMeter(self.device),
            listener=self.listener,
            interruption=self.interruption,
        )
        self._tiers.clear()
        trained, raised = self._train(run, folder, observers)
        record = complete_record(
            draft, trained, raised, observers, time.perf_counter() - began, self._tiers, self.share
        )
        path = store.write(self.results, record, self._images(trained) if trained else {})
        record = store.read(path)
        for key, why in record.facts.get("metrics", {}).items():
            self.listener.notice(f"metric {key} has no value: {why}")
        run_folder.recorded(folder)
        self.listener.finished(record, folder, self._preview(run, trained.model, trained.heads) if trained else None)
        run_folder.finish(folder)
        return record, path

    def _train(
        self, run: Run, folder: Path, observers: Observers
    ) -> tuple[TrainingResult | None, BaseException | None]:
        """What training gave, or what ended it; settings of the process that its code altered are put back."""
        steady_arithmetic(run.spec.precision)
        process, name = ProcessState(), run.spec.model
        trained: TrainingResult | None = None
        raised: BaseException | None = None
        altered: Sequence[Alteration] = ()
        try:
            keys = [*all_metrics.default(), *self.metrics]
            trained = train(run, self.loader, folder, self.device, observers, keys, self.resume_anyway)
            trained.seen = self._test_on_seen(run, trained, keys, observers.memory)
        except (Exception, SystemExit) as error:
            raised = error
        finally:
            altered = process.put_back()
        try:
            check_unaltered(name, altered, raised)
        except ContractError as error:
            trained, raised = None, error
        if isinstance(raised, BadData | CannotWrite):  # files or a disk are at fault, not this run
            raise raised
        for each in altered:
            self.listener.notice(f"{name} alters {each}: put back")
        if threads := process.new_threads():
            self.listener.notice(f"{name} leaves threads that go on: {', '.join(threads)}")
        return trained, raised

    def _test_on_seen(
        self, run: Run, trained: TrainingResult, metrics: Sequence[str], peak: memory.PeakMeter
    ) -> Evaluation | None:
        """The second test set: more samples of the groups of training; None without them, or if the test has no others.

        Where a split shares one pool of two on purpose, the test's groups of the other pool are new.
        """
        protocol, data = run.spec.protocol, run.spec.data
        if data.get("leaks") and not (data.get("split") in HALF_SHARED and self.source.names_objects):
            return None
        seen = SeenGroups(self.source, protocol.train_samples, protocol.test_samples)
        count = seen.count("test")
        if not count:
            return None
        trained.facts["seen"] = {"groups": "trained on", "passed_over": seen.passed_over}
        with peak.set_aside():  # as of all other samples
            loader = self.loader("test", count, protocol.size, protocol.stages[-1].batch, protocol.train_samples)
        autocast, ledger = autocast_of(run.spec, self.device), Ledger(self.device)
        served = loader.serving(run.spec.inputs)
        return evaluate(trained.model, served, None, autocast, ledger, trained.heads, metrics, memory=peak)

    def show_again(self, run: Run, record: Record) -> None:
        """Let the listeners make what a kill between a run's record and its picture kept them from."""
        folder = self._folder(run)
        draft = run_folder.draft_of(folder)
        if draft is None or draft.started != record.started:
            return
        try:
            with run_folder.locked(folder):
                self.listener.finished(record, folder, self._preview(run, *self._tested(run, folder)))
                run_folder.recorded(folder)
                run_folder.finish(folder)
        except run_folder.Busy:  # another process shows it
            return

    def _folder(self, run: Run) -> Path:
        """The run's folder, wherever code of a plug-in goes meanwhile."""
        return (self.runs / run.spec.id).absolute()

    def _tested(self, run: Run, folder: Path) -> tuple[nn.Module, Sequence[str]]:
        """The model that a recorded run tested, and the heads that were trained."""
        model = build_model(run.spec, self.device)
        protocol = run.spec.protocol
        if isinstance(model, Fitted):
            loader = self.loader("train", protocol.train_samples, protocol.size, protocol.stages[-1].batch)
            model.fit(batch.quartet for batch in loader.serving(run.spec.inputs).in_order())
            return model, HEADS
        model.load_state_dict(checkpoint.load_weights(folder / BEST, self.device))
        return model, run.recipe.heads if run.recipe else HEADS

    def loader(self, part: Part, count: int, size: int, batch: int, seen_from: int | None = None) -> Loader:
        """As `SharedLoaders.loader`."""
        found = self._shared.loader(part, count, size, batch, seen_from)
        if part == "train":
            self._tiers.add(found.tier)
        return found

    def _preparing(self, what: str, done: int, total: int) -> None:
        self.listener.preparing(what, done, total)

    def _images(self, trained: TrainingResult) -> dict[str, list[float | int]]:
        """Per-image metrics with the sample's id, its two groups and what it is like, by column."""
        ids = trained.test.ids
        return {
            **sample_columns(self.source, ids),
            **{f"{PREFIX}{name}": values.tolist() for name, values in trained.test.attributes.items()},
            **camera_columns(self.source.camera_draws("test", ids)),
            **{name: values.tolist() for name, values in trained.test.columns.items()},
        }

    def _preview(self, run: Run, model: nn.Module, heads: Sequence[str]) -> Preview:
        def preview(count: int) -> tuple[Quartet, Prediction]:
            protocol = run.spec.protocol
            loader = self.loader("test", protocol.test_samples, protocol.size, protocol.stages[-1].batch)
            served = loader.serving(run.spec.inputs)
            quartet = next(iter(served.in_order())).quartet.map(lambda tensor: tensor[:count])
            with torch.no_grad(), untried_shapes():  # of copies, as a model may alter its inputs in place
                prediction = model.eval()(*(image.clone() for image in quartet.inputs))
            return quartet, prediction.only(heads)

        return preview


def discard(runs: Path, spec: RunSpec) -> None:
    """Throw away the checkpoint that an unfinished run of this spec left, so that the next starts anew."""
    with suppress(FileNotFoundError):
        run_folder.forget(runs / spec.id)
