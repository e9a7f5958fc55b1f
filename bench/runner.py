"""One run from its spec to its record: loaders shared, outcome caught, picture drawn, record written."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import torch

from bench.data.loader import Loader
from bench.data.source import Source
from bench.data.split import Part
from bench.environment import code_version, environment
from bench.loop import Diverged, Trained, train
from bench.metrics.summary import summarise
from bench.report.picture import prediction_picture
from bench.results import store
from bench.results.record import Outcome, Record, Score
from bench.spec import RunSpec
from bench.timing import memory
from bench.timing.ledger import Ledger
from bench.timing.work import gmacs, parameter_count
from bench.watch import Watcher
from registry.models import models

RESIDENT_SHARE = 0.4  # of the free memory of the device, for samples kept on it
PICTURED = 6


@dataclass
class Runner:
    """Runs specs on one source and one device; samples rendered for one run serve the next.

    Attributes:
        source: on ``device`` already.
        runs: folder of checkpoints, pictures and event files, a folder a run.
        results: folder of records.
    """

    source: Source
    device: torch.device
    runs: Path
    results: Path
    watcher: Watcher = field(default_factory=Watcher)

    def __post_init__(self) -> None:
        self._loaders: dict[tuple[Part, int, int, int], Loader] = {}

    def run(self, spec: RunSpec, recipe_name: str) -> tuple[Record, Path]:
        """Train and test a spec; the record is written however the run ends.

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
        started, began = datetime.now(UTC), time.perf_counter()
        memory.reset_peak(self.device)
        trained: Trained | None = None
        outcome: Outcome = "finished"
        reason: str | None = None
        try:
            trained = train(spec, self.loader, folder, self.device, training, evaluation, self.watcher)
        except Diverged as error:
            outcome, reason = "diverged", f"{error}; samples {error.ids.tolist()}"
            (folder / "diverged.json").write_text(json.dumps({"reason": str(error), "ids": error.ids.tolist()}) + "\n")
        except (torch.OutOfMemoryError, MemoryError) as error:
            outcome, reason = "oom", str(error).splitlines()[0] if str(error) else "out of memory"
        peak = memory.peak_mib(self.device)
        model = models.build(spec.model) if trained is None else trained.model
        scores = {} if trained is None else summarise(trained.test.columns)
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
            code=code_version(),
            environment=where,
            fingerprint=where.fingerprint,
            parameters=parameter_count(model),
            gmacs=gmacs(model, spec.protocol.size),
            loading=self._tier(),
            epochs=trained.history if trained else [],
            best_epoch=trained.best_epoch if trained else None,
            test={name: Score(value=score.value, images=score.images) for name, score in scores.items()},
            timings=training.timings(),
            evaluation=evaluation.timings(),
            peak_mib=peak,
            resumed=trained.resumed if trained else 0,
        )
        if trained is not None:
            self._draw(spec, trained, folder)
        path = store.write(self.results, record, self._images(trained) if trained else {})
        self.watcher.finished(record)
        (folder / "last.pt").unlink(missing_ok=True)  # done: running it again starts anew
        return record, path

    def loader(self, part: Part, count: int, size: int, batch: int) -> Loader:
        """The loader for some samples, made once; samples at resolutions no longer asked for are let go."""
        key = (part, count, size, batch)
        if key not in self._loaders:
            self._loaders = {k: v for k, v in self._loaders.items() if k[0] != part}
            budget = int(RESIDENT_SHARE * _free_bytes(self.device))
            self._loaders[key] = Loader(
                self.source,
                part,
                count,
                size,
                batch,
                budget,
                progress=lambda done, total: self.watcher.preparing(f"{part} samples at {size} px", done, total),
            )
        return self._loaders[key]

    def _tier(self) -> str:
        tiers = {loader.tier for key, loader in self._loaders.items() if key[0] == "train"}
        return " and ".join(sorted(tiers)) or "none"

    def _images(self, trained: Trained) -> dict[str, list[float | int]]:
        """Per-image metrics with the sample's id and its two groups, by column."""
        ids = trained.test.ids
        backgrounds, objects = self.source.groups("test", ids)
        return {
            "sample": ids.tolist(),
            "background": backgrounds.tolist(),
            "object": objects.tolist(),
            **{name: values.tolist() for name, values in trained.test.columns.items()},
        }

    def _draw(self, spec: RunSpec, trained: Trained, folder: Path) -> None:
        loader = self.loader("test", spec.protocol.test_samples, spec.protocol.size, spec.protocol.stages[-1].batch)
        quartet = next(iter(loader.in_order())).quartet.map(lambda tensor: tensor[:PICTURED])
        with torch.no_grad():
            prediction = trained.model.eval()(quartet.bg, quartet.bg_fg)
        prediction_picture(quartet, prediction).save(folder / "predictions.png")


def discard(runs: Path, spec: RunSpec) -> None:
    """Throw away what an unfinished run of this spec left, so that the next starts anew."""
    shutil.rmtree(runs / spec.id, ignore_errors=True)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 2**30
    return min(available, 4 * 2**30)
