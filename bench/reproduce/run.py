"""Run a published system in both forms, and take the figures that its authors quoted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor, nn

from bench.core.code import code_version
from bench.core.machine import environment
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.data.loading.loader import Loader
from bench.data.source import Source
from bench.reproduce.measures import Outputs
from bench.reproduce.published_data import AsPublished
from bench.reproduce.reproduction import FigureRow, Reproduction, TrialResult
from bench.reproduce.system import Measure, System, Trial
from bench.run.runner import Runner, discard
from bench.train.assemble import build_model, make_run
from bench.train.checkpoints import checkpoint
from bench.train.events import Listener


@dataclass
class Reproducer:
    """Runs systems on a source and a device.

    Attributes:
        source: of the scenes; each system sees them through `AsPublished`.
        device: where to compute.
        results: folder for the records of the runs.
        runs: folder for checkpoints and pictures.
        full: at the original's scale.
        samples: training samples a pass, other than the budget's.
        listener: notified of each run's progress.
        announce: called with what begins, in words.
    """

    source: Source
    device: torch.device
    results: Path
    runs: Path
    full: bool = False
    samples: int | None = None
    listener: Listener | None = None
    announce: Callable[[str], None] = lambda words: None

    def reproduce(self, system: System) -> Reproduction:
        """Run every trial of a system in both forms.

        Raises:
            BenchError: the data has no depth, or results cannot be written.
        """
        began = time.perf_counter()
        trials = [self._trial(system, number, trial) for number, trial in enumerate(system.trials, 1)]
        return Reproduction(
            system=system.key,
            full=self.full,
            data=AsPublished(self.source, system.stretched, turned=False).describe(),
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            code=code_version(),
            machine=environment(self.device).label,
            seconds=round(time.perf_counter() - began, 1),
            trials=trials,
        )

    def _trial(self, system: System, number: int, trial: Trial) -> TrialResult:
        records: dict[str, tuple[Record, Path]] = {}
        outputs: dict[str, Outputs] = {}
        for name, form in trial.forms.items():
            source = AsPublished(self.source, system.stretched, form.turned).to(self.device)
            runner = Runner(source, self.device, self.runs, self.results, self.listener or Listener())
            protocol = trial.protocol(name, f"reproduce {system.key}.{number}", self.full, self.samples)
            run = make_run(form.model, form.recipe, protocol, source.describe())
            self.announce(f"system {system.key}, {name}: {run.spec.model}, {form.recipe}")
            discard(self.runs, run.spec)  # figures are of this run, not of a run that was stopped
            records[name] = runner.run(run)
            if records[name][0].outcome == "finished":
                outputs[name] = self._test_outputs(runner, run.spec)
        protocol = trial.protocol("published", "", self.full, self.samples)
        return TrialResult(
            title=trial.title,
            samples=protocol.train_samples,
            stages=", ".join(f"{s.epochs} x {s.size} px (batch {s.batch})" for s in protocol.stages),
            rows=_rows(trial, outputs),
            outcomes={name: record.outcome for name, (record, _) in records.items()},
            records={name: path.name for name, (_, path) in records.items()},
        )

    def _test_outputs(self, runner: Runner, spec: RunSpec) -> Outputs:
        model = build_model(spec, self.device)
        model.load_state_dict(checkpoint.load_weights(self.runs / spec.id / "best.pt", self.device))
        protocol = spec.protocol
        return predict_all(
            model, runner.loader("test", protocol.test_samples, protocol.size, protocol.stages[-1].batch)
        )


@torch.no_grad()
def predict_all(model: nn.Module, loader: Loader) -> Outputs:
    """A model's predictions for all samples of a loader, with the targets, on the CPU."""
    model.eval()
    columns: dict[str, list[Tensor]] = {}
    for batch in loader.in_order():
        prediction = model(*batch.quartet.inputs)
        predicted = {f"{name}_logits": head.logits for name, head in prediction.heads()}
        truth = {name: tensor for name, tensor in batch.quartet.tensors() if not name.startswith("bg")}
        for name, tensor in (predicted | truth).items():
            columns.setdefault(name, []).append(tensor.float().cpu())
    joined = {name: torch.cat(parts) for name, parts in columns.items()}
    return Outputs(joined.pop("mask_logits", None), joined.pop("depth_logits", None), **joined)


def _rows(trial: Trial, outputs: dict[str, Outputs]) -> list[FigureRow]:
    published, corrected = outputs.get("published"), outputs.get("corrected")
    perfect = None if published is None else trial.perfect(published)
    return [
        FigureRow(
            figure=figure.name,
            quoted=figure.quoted,
            published=_value(figure.published, published),
            corrected=_value(figure.corrected, corrected),
            truth=_value(figure.published, perfect),
        )
        for figure in trial.figures
    ]


def _value(measure: Measure, outputs: Outputs | None) -> float | None:
    value = math.nan if outputs is None else measure(outputs)
    return float(f"{value:.4g}") if math.isfinite(value) else None
