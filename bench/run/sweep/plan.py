"""`Plan`: what a sweep will do, before it does it: runs, those done already, hours, disk."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.protocol import Protocol
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.data.loading.loader import Loader
from bench.data.source import Source
from bench.run.sweep.estimate import CHECKPOINT_WEIGHTS, WEIGHT_BYTES, Estimate
from bench.run.sweep.grid.grid import Cell
from bench.run.sweep.task import Task

RECORD_BYTES = 250_000
"""Of a run beside its weights: record, per-image table, event file and picture, rounded up from ``quick``."""


@dataclass(frozen=True)
class Plan:
    """What is to be made.

    Attributes:
        cells: models under losses.
        left_out: cells whose model has none of the heads that the loss trains.
        alike: cells that are one and the same training, by groups.
        seeds: of each cell.
        tasks: runs, those of baselines too.
        trials, trials_done: of tuning, those of baselines too; of pruned ones the first stretch.
        done: how many runs have a record.
        failed: records of those that failed before, and are not tried again.
        left: those that are to be made now, in order; trials among them.
        to_come: runs whose value trials have yet to choose.
        seconds: about how long these take together, None where nothing is known of any.
        unknown: how many of them nothing is known of.
        needed, free: bytes on the disk of the runs' folder; ``needed`` is None where the models cannot be counted.
        at_once: tasks made at once.
    """

    cells: Sequence[Cell]
    left_out: Sequence[Cell]
    alike: Sequence[Sequence[Cell]]
    seeds: int
    tasks: int
    trials: int
    trials_done: int
    done: int
    failed: Sequence[Record]
    left: Sequence[Task]
    to_come: int
    seconds: float | None
    unknown: int
    needed: int | None
    free: int
    at_once: int

    @property
    def hours(self) -> float | None:
        """About how long it takes; None where nothing is known."""
        return None if self.seconds is None else self.seconds / 3600 / self.at_once

    @property
    def fits(self) -> bool:
        """Whether the disk has room for what is left, as far as it is known."""
        return self.needed is None or self.needed <= self.free


def disk_needed(specs: Sequence[RunSpec], estimate: Estimate, at_once: int, samples: int) -> int | None:
    """Bytes that runs leave, with the checkpoints of those that go on at once.

    Args:
        specs: of runs to be made.
        estimate: knows the models' parameters.
        at_once: tasks made at once.
        samples: bytes of the samples that all share.
    """
    counts = {model: estimate.weights(model) for model in dict.fromkeys(spec.model for spec in specs)}
    if any(count is None for count in counts.values()):
        return None
    weights = sum(counts[spec.model] or 0 for spec in specs)
    largest = max((count or 0 for count in counts.values()), default=0)
    return WEIGHT_BYTES * (weights + at_once * CHECKPOINT_WEIGHTS * largest) + len(specs) * RECORD_BYTES + samples


def free_disk(folder: Path) -> int:
    """Bytes free where a folder is, or will be."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(place).free


def sample_bytes(source: Source, protocol: Protocol) -> int:
    """Bytes of the samples that runs share on the disk."""
    sizes = {stage.size for stage in protocol.stages}
    per_size = {size: Loader.form_of(source, "train", size).bytes for size in sizes}
    evaluated = protocol.val_samples + protocol.test_samples
    return sum(per_size[size] * protocol.train_samples for size in sizes) + per_size[protocol.size] * evaluated
