"""Small trainings without a record, whether two of them are the same, and one that is stopped."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.data.loading.loader import Loader
from bench.data.source import Source
from bench.timing.ledger import Ledger
from bench.timing.memory import PeakMeter
from bench.train.assemble import Run
from bench.train.events import Listener, Observers, WindowSummary
from bench.train.loop import TrainingResult, train

CPU = torch.device("cpu")


def spec(
    source: Source, model: str = "unet[width=4]", recipe: str = "mask: bce + dice, depth: l1", **changes
) -> RunSpec:
    quick = find_protocol("quick")
    given = {"size": 32, "batch": 8, "epochs": 2, "train_samples": 48, "val_samples": 8, "test_samples": 12, **changes}
    return RunSpec(model=model, recipe=recipe, protocol=quick.override(**given), data=source.describe())


def run(
    run_spec: RunSpec | Run,
    source: Source,
    folder: Path,
    listener: Listener | None = None,
    budget: int = 2**30,
    resume_anyway: bool = False,
    **more,
) -> TrainingResult:
    def loaders(part, count, size, batch) -> Loader:
        return Loader(source, part, count, size, batch, budget)

    ledgers = Ledger(CPU, seconds=0), Ledger(CPU)
    observers = Observers(*ledgers, PeakMeter(CPU), listener or Listener(), **more)
    made = Run.of(run_spec) if isinstance(run_spec, RunSpec) else run_spec
    return train(made, loaders, folder, CPU, observers, resume_anyway=resume_anyway)


def weights(trained: TrainingResult) -> list[Tensor]:
    return list(trained.model.state_dict().values())


def same(run_spec: TrainingResult, other: TrainingResult) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(run_spec), weights(other), strict=True))


class StopAfter(Listener):
    """Interrupts a run once so many epochs are done, as Ctrl-C would."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def window(self, summary: WindowSummary) -> None:
        if summary.epoch > self.epochs:
            raise KeyboardInterrupt
