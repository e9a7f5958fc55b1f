"""Experiments that take a fraction of a second, and their records."""

from __future__ import annotations

from pathlib import Path

from bench.core.protocol import find_protocol
from bench.core.record import Record
from bench.run.experiment import Experiment
from bench.train.events import Listener
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import SMALL


def small_experiment(folder: Path, *models: str, loss: str = "mask: bce, depth: l1", **more) -> Experiment:
    given = {"device": "cpu", "baselines": False, "results": folder / "results", "runs": folder / "runs", **more}
    protocol = find_protocol("quick").override(**{**SMALL, **given.pop("changes", {})})
    return Experiment(models or ["unet[width=4]"], loss, Rectangles(), protocol=protocol, **{"seeds": [0], **given})


def records(made: Experiment, listener: Listener | None = None) -> tuple[list[Record], list[str]]:
    lines: list[str] = []
    return [record for record, _, _ in made.run(listener or Listener(), lines.append)], lines
