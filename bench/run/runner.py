"""One run to its record: loaders shared, outcome caught, record written, and only then those who listen told."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch

from bench.core.code import code_version, plugin_distributions
from bench.core.errors import BadData
from bench.core.finding import Finding
from bench.core.interruption import Interruption
from bench.core.machine import environment, free_bytes
from bench.core.record import Failure, Load, Outcome, Record, Score
from bench.core.spec import RunSpec
from bench.data.loading.loader import RESIDENT_SHARE, Loader
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.data.split import Part
from bench.metrics import metrics as all_metrics
from bench.metrics.attributes import PREFIX, camera_columns
from bench.profile.disturbance.monitor import ClockSampler
from bench.results import store
from bench.run import folder as run_folder
from bench.timing import memory
from bench.timing.ledger import Ledger
from bench.timing.window import Window
from bench.train.arithmetic import arithmetic
from bench.train.assemble import Run
from bench.train.checks.trial import Size, size_of
from bench.train.events import Listener, Preview
from bench.train.failures import failure_of, outcome_of
from bench.train.loop import Observers, TrainingResult, train
from registry.contract import Prediction, Quartet

Done = tuple[Record, Path]
"""A record with its file."""

_NOT_FINITE = "predictions on the test split hold NaN or infinity"


@dataclass
class Runner:
    """Makes runs on one source and one device; samples rendered for one run serve the next.

    Attributes:
        source: on ``device`` already.
        runs: folder of checkpoints, pictures and event files, a folder a run.
        results: folder of records.
        listener: told how every run goes.
        interruption: asked whether to stop.
        metrics: keys of metrics beside those of every evaluation.
        share: runs that compute on the device at once; timings are worth something with 1 alone.
        loaders: makes loaders of samples; a subclass may know where samples lie ready.
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

    def __post_init__(self) -> None:
        memory.keep_freed(self.device)
        self._tiers: set[str] = set()  # of the run's training samples
        self._loaders: dict[tuple[Part, int, int, int], Loader] = {}

    def run(
        self, run: Run, audit: Sequence[Finding] = (), unless: Callable[[], Done | None] = lambda: None
    ) -> tuple[Record, Path]:
        """Train and test; the record is written however the run ends.

        Args:
            run: what to make.
            audit: what the audit found, for the record.
            unless: asked when nobody else can make this run any more; what it finds is taken instead.

        Returns:
            The record and its file.

        Raises:
            Busy: another process makes this run.
            BenchError: its results cannot be written.
            Interrupted, KeyboardInterrupt: somebody asked to stop; the last checkpoint stays for the next try.
        """
        folder = self.runs / run.spec.id
        with run_folder.locked(folder):
            done = unless()
            if done is not None:
                return done
            run_folder.prepare(folder, run.spec)
            return self._run(run, folder, audit)

    def _run(self, run: Run, folder: Path, audit: Sequence[Finding]) -> tuple[Record, Path]:
        spec = run.spec
        started, began = datetime.now(UTC), time.perf_counter()
        size = size_of(run, self.device)
        observers = Observers(
            training=Ledger(self.device, gauge=ClockSampler(self.device)),
            evaluation=Ledger(self.device),
            memory=memory.PeakMeter(self.device),
            listener=self.listener,
            interruption=self.interruption,
        )
        self._tiers.clear()
        trained: TrainingResult | None = None
        outcome: Outcome = "finished"
        reason: str | None = None
        failure: Failure | None = None
        try:
            scored_by = [*all_metrics.default(), *self.metrics]
            trained = train(run, self.loader, folder, self.device, observers, scored_by)
        except (Exception, SystemExit) as error:
            if isinstance(error, BadData):  # files are at fault, not this run
                raise
            outcome, reason = outcome_of(error)
            failure = failure_of(error, observers.position, observers.memory.mib)
        scores = {} if trained is None else trained.test.summary()
        if any(score.value is not None and not math.isfinite(score.value) for score in scores.values()):
            outcome, reason, failure = "diverged", _NOT_FINITE, Failure(phase="test")
        where = environment(self.device)
        record = Record(
            id=spec.id,
            cell=spec.cell,
            spec=spec,
            recipe_name=run.recipe_name,
            outcome=outcome,
            reason=reason,
            started=started.isoformat(timespec="seconds"),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=time.perf_counter() - began,
            code=code_version(*run.names),
            environment=where,
            fingerprint=where.fingerprint,
            parameters=size.parameters,
            gmacs=size.gmacs,
            loading=" and ".join(sorted(self._tiers)) or "none",
            epochs=trained.history if trained else [],
            best_epoch=trained.best_epoch if trained else None,
            test={name: Score(value=score.value, images=score.images) for name, score in scores.items()}
            if outcome == "finished"
            else {},
            timings=observers.training.timings(),
            evaluation=observers.evaluation.timings(),
            peak_mib=observers.memory.mib,
            peak_of=observers.memory.kind,
            resumed=trained.resumed if trained else 0,
            audit=list(audit),
            metrics=trained.test.facts if trained else {},
            pooled_terms=trained.test.pooled if trained else {},
            failure=failure,
            arithmetic=arithmetic(self.device, spec.precision),
            load=load_of(observers.training.windows, self.share),
            facts=self._facts(run, size, observers.memory),
        )
        path = store.write(self.results, record, self._images(trained) if trained else {})
        record = store.read(path)
        run_folder.finish(folder)
        self.listener.finished(record, folder, self._preview(spec, trained) if trained else None)
        return record, path

    def loader(self, part: Part, count: int, size: int, batch: int) -> Loader:
        """The loader for some samples, made once.

        What is rendered stays as long as there is room: the next run asks for the same resolutions again. Where there
        is none, samples of the same part go that were longest not asked for. Those that do not fit on the device are
        kept in ``runs/packed``: even what one run reads once serves the next.
        """
        key = (part, count, size, batch)
        if key not in self._loaders:
            needed = count * Loader.form_of(self.source, part, size).bytes
            budget = self._room_for(needed, part)
            self._loaders[key] = self.loaders(
                self.source,
                part,
                count,
                size,
                batch,
                budget,
                progress=lambda done, total: self.listener.preparing(
                    f"rendering {part} samples at {size} px", done, total
                ),
                packed_files=PackedFiles(self.runs / "packed"),
            )
        self._loaders[key] = self._loaders.pop(key)  # asked for last
        if part == "train":
            self._tiers.add(self._loaders[key].tier)
        return self._loaders[key]

    def _room_for(self, needed: int, part: Part) -> int:
        """Bytes that further samples may hold on the device, after others of that part made room if they had to."""
        held = {key: loader.resident_bytes for key, loader in self._loaders.items()}
        whole = int(RESIDENT_SHARE * (free_bytes(self.device) + sum(held.values())))
        for key in list(held):
            if sum(held.values()) + needed <= whole:
                break
            if key[0] == part:
                del self._loaders[key], held[key]
        return max(0, whole - sum(held.values()))

    def _images(self, trained: TrainingResult) -> dict[str, list[float | int]]:
        """Per-image metrics with the sample's id, its two groups and what it is like, by column."""
        ids = trained.test.ids
        backgrounds, objects = self.source.groups("test", ids)
        return {
            "sample": ids.tolist(),
            "background": backgrounds.tolist(),
            "object": objects.tolist(),
            **{f"{PREFIX}{name}": values.tolist() for name, values in trained.test.attributes.items()},
            **camera_columns(self.source.camera_draws("test", ids)),
            **{name: values.tolist() for name, values in trained.test.columns.items()},
        }

    def _preview(self, spec: RunSpec, trained: TrainingResult) -> Preview:
        def preview(count: int) -> tuple[Quartet, Prediction]:
            protocol = spec.protocol
            loader = self.loader("test", protocol.test_samples, protocol.size, protocol.stages[-1].batch)
            quartet = next(iter(loader.in_order())).quartet.map(lambda tensor: tensor[:count])
            with torch.no_grad():  # of copies, as a model may alter its inputs in place
                prediction = trained.model.eval()(*(image.clone() for image in quartet.inputs))
            return quartet, prediction.only(trained.heads)

        return preview

    def _facts(self, run: Run, size: Size, peak: memory.PeakMeter) -> dict[str, Any]:
        stages = {stage: round(mib, 1) for stage, mib in peak.stages.items()}
        facts = {
            "gmacs": size.gmacs_reason,
            "model": list(size.notes),
            "data": self.source.facts(),
            "plugins": plugin_distributions(*run.names),
            "peak_mib": stages if len(stages) > 1 else None,
        }
        return {name: value for name, value in facts.items() if value}


def load_of(windows: Sequence[Window], share: int = 1) -> Load | None:
    """What others did to the machine during these windows of training; None where there are none.

    Args:
        windows: of training.
        share: runs that were made on the device at once: with more than one, every window is disturbed.
    """
    if not windows:
        return None
    beside = f"beside {share - 1} other runs of a sweep" if share > 1 else None
    reasons = Counter(reason for window in windows if (reason := window.disturbed or beside) is not None)
    others = [window.others for window in windows if window.others is not None]
    return Load(
        windows=len(windows),
        disturbed=reasons.total(),
        others=round(median(others), 4) if others else None,
        reasons=dict(reasons.most_common()),
        marked=reasons.total() == len(windows),
        unknown=None if others or reasons else "nothing counts what others take of this machine",
        shared=share,
    )


def discard(runs: Path, spec: RunSpec) -> None:
    """Throw away the checkpoint that an unfinished run of this spec left, so that the next starts anew."""
    with suppress(FileNotFoundError):
        run_folder.forget(runs / spec.id)
