"""One run from its spec to its record: loaders shared, outcome caught, picture drawn, record written."""

from __future__ import annotations

import fcntl
import json
import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import torch

from bench.core.code import code_version
from bench.core.errors import BenchError
from bench.core.finding import Finding
from bench.core.machine import environment, free_bytes
from bench.core.record import Outcome, Record, Score
from bench.core.spec import RunSpec
from bench.data.loading.loader import RESIDENT_SHARE, Loader
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.data.split import Part
from bench.metrics import metrics as all_metrics
from bench.metrics.attributes import PREFIX, camera_columns
from bench.report.picture import prediction_picture
from bench.results import store
from bench.timing import memory
from bench.timing.ledger import Ledger
from bench.timing.work import gmacs, parameter_count
from bench.train.events import Listener
from bench.train.loop import Diverged, TrainingResult, train
from registry.models import models

PICTURED = 6


@dataclass
class Runner:
    """Runs specs on one source and one device; samples rendered for one run serve the next.

    Attributes:
        source: on ``device`` already.
        runs: folder of checkpoints, pictures and event files, a folder a run.
        results: folder of records.
        metrics: keys of metrics beside those of every evaluation.
    """

    source: Source
    device: torch.device
    runs: Path
    results: Path
    listener: Listener = field(default_factory=Listener)
    metrics: Sequence[str] = ()

    def __post_init__(self) -> None:
        memory.keep_freed(self.device)
        self._tiers: set[str] = set()  # of the run's training samples
        self._loaders: dict[tuple[Part, int, int, int], Loader] = {}

    def run(self, spec: RunSpec, recipe_name: str, audit: Sequence[Finding] = ()) -> tuple[Record, Path]:
        """Train and test a spec; the record is written however the run ends.

        Args:
            spec: what to run.
            recipe_name: what its recipe is called.
            audit: what the audit found, for the record.

        Returns:
            The record and its file.

        Raises:
            BenchError: the run cannot begin, or its results cannot be written.
            KeyboardInterrupt: as it came; the last checkpoint stays for the next try.
        """
        folder = self.runs / spec.id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "spec.json").write_text(spec.model_dump_json(indent=1) + "\n")
        training, evaluation = Ledger(self.device), Ledger(self.device)
        lock = _lock(folder)
        started, began = datetime.now(UTC), time.perf_counter()
        memory.reset_peak(self.device)
        self._tiers.clear()
        trained: TrainingResult | None = None
        outcome: Outcome = "finished"
        reason: str | None = None
        scored_by = [*all_metrics.default(), *self.metrics]
        try:
            trained = train(spec, self.loader, folder, self.device, training, evaluation, self.listener, scored_by)
        except Diverged as error:
            outcome, reason = "diverged", f"{error}; samples {error.ids.tolist()}"
            (folder / "diverged.json").write_text(json.dumps({"reason": str(error), "ids": error.ids.tolist()}) + "\n")
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            outcome, reason = "oom", (str(error).splitlines() or ["out of memory"])[0]
        peak = memory.peak_mib(self.device)
        model = models.build(spec.model) if trained is None else trained.model
        scores = {} if trained is None else trained.test.summary()
        if any(score.value is not None and not math.isfinite(score.value) for score in scores.values()):
            outcome, reason = "diverged", "predictions on the test split hold NaN or infinity"
        where = environment(self.device)
        record = Record(
            id=spec.id,
            cell=spec.cell,
            spec=spec,
            recipe_name=recipe_name,
            outcome=outcome,
            reason=reason,
            started=started.isoformat(timespec="seconds"),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=time.perf_counter() - began,
            code=code_version(spec.model, spec.recipe),
            environment=where,
            fingerprint=where.fingerprint,
            parameters=parameter_count(model),
            gmacs=gmacs(model, spec.protocol.size),
            loading=" and ".join(sorted(self._tiers)) or "none",
            epochs=trained.history if trained else [],
            best_epoch=trained.best_epoch if trained else None,
            test={name: Score(value=score.value, images=score.images) for name, score in scores.items()}
            if outcome == "finished"
            else {},
            timings=training.timings(),
            evaluation=evaluation.timings(),
            peak_mib=peak,
            resumed=trained.resumed if trained else 0,
            audit=list(audit),
            metrics=trained.test.facts if trained else {},
            pooled_terms=trained.test.pooled if trained else {},
        )
        path = store.write(self.results, record, self._images(trained) if trained else {})
        record = store.read(path)
        self.listener.finished(record)
        if trained is not None:
            self._draw(spec, trained, folder)
        lock.close()
        (folder / "last.pt").unlink(missing_ok=True)  # done: running it again starts anew
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
            self._loaders[key] = Loader(
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

    def _draw(self, spec: RunSpec, trained: TrainingResult, folder: Path) -> None:
        loader = self.loader("test", spec.protocol.test_samples, spec.protocol.size, spec.protocol.stages[-1].batch)
        quartet = next(iter(loader.in_order())).quartet.map(lambda tensor: tensor[:PICTURED])
        with torch.no_grad():
            prediction = trained.model.eval()(*quartet.inputs)
        prediction_picture(quartet, prediction.only(trained.heads)).save(folder / "predictions.png")


def discard(runs: Path, spec: RunSpec) -> None:
    """Throw away what an unfinished run of this spec left, so that the next starts anew."""
    shutil.rmtree(runs / spec.id, ignore_errors=True)


def _lock(folder: Path) -> IO[str]:
    """Keep others out of a run's folder until the file is closed, or this process ends.

    Raises:
        BenchError: another process trains this very run.
    """
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise BenchError(f"another process is training this very run ({folder.name}); wait for it") from None
    return file


def _out_of_memory(error: BaseException) -> bool:
    """Whether an error is one of the many ways in which torch says that memory is short."""
    words = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in str(error) for word in words)
