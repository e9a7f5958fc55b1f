"""A run that was made in a second, for tests of what trained runs are used for."""

from __future__ import annotations

from pathlib import Path

import torch

from bench.core.protocol import find_protocol
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.data.source import Source
from bench.run.runner import Runner
from bench.train.assemble import Run

SMALL = {"size": 32, "batch": 8, "epochs": 1, "train_samples": 16, "val_samples": 8, "test_samples": 8}


def make(folder: Path, source: Source, recipe: str = "mask: bce, depth: l1", **changes: object) -> Record:
    """Train unet[width=4] on a source; leaves ``results`` and ``runs`` in the folder."""
    spec = RunSpec(
        model=str(changes.pop("model", "unet[width=4]")),
        recipe=recipe,
        protocol=find_protocol("quick").override(**SMALL),
        data=source.describe(),
        **changes,  # type: ignore[arg-type]
    )
    runner = Runner(source, torch.device("cpu"), folder / "runs", folder / "results")
    record, _ = runner.run(Run.of(spec))
    assert record.outcome == "finished", record.reason
    return record
