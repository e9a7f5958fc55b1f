"""Runs that take a fraction of a second, for tests of what makes and records runs."""

from __future__ import annotations

from pathlib import Path

import torch

from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.data.source import Source
from bench.run.runner import Runner
from bench.train.assemble import Run
from bench.train.events import Listener

CPU = torch.device("cpu")
SMALL = {"size": 32, "batch": 8, "epochs": 1, "train_samples": 16, "val_samples": 8, "test_samples": 8}


def small_run(source: Source, model: str = "unet[width=4]", recipe: str = "mask: bce, depth: l1", **changes) -> Run:
    """Two steps of training; ``changes`` are of the protocol."""
    protocol = find_protocol("quick").override(**{**SMALL, **changes})
    return Run.of(RunSpec(model=model, recipe=recipe, protocol=protocol, data=source.describe()))


def small_runner(folder: Path, source: Source, listener: Listener | None = None, **more) -> Runner:
    """Leaves ``results`` and ``runs`` in the folder."""
    return Runner(source, CPU, folder / "runs", folder / "results", listener or Listener(), **more)
