"""What a run tells others while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.record import Epoch, Record
from bench.core.spec import RunSpec


@dataclass(frozen=True)
class Pace:
    """Where training stands after a window: epoch and step (from 1), total steps, mean loss by term, images/s."""

    epoch: int
    step: int
    steps: int
    losses: dict[str, float]
    images_per_second: float


class Watcher:
    """Told of what happens; does nothing. Override what you want to know."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Something is done ahead of training: samples rendered, precisions raced, recipes audited."""

    def started(self, spec: RunSpec, folder: Path, resumed_at: int) -> None:
        """Training begins, or goes on after ``resumed_at`` epochs."""

    def phase(self, name: str) -> None:
        """The run passes to ``training``, ``validation``, ``checkpoint`` or ``test``."""

    def window(self, pace: Pace) -> None:
        """A window of training steps is over."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch was trained and validated."""

    def finished(self, record: Record) -> None:
        """The run is over, one way or another."""


class Watchers(Watcher):
    """Several as one."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    def preparing(self, what: str, done: int, total: int) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.preparing(what, done, total)

    def started(self, spec: RunSpec, folder: Path, resumed_at: int) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.started(spec, folder, resumed_at)

    def phase(self, name: str) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.phase(name)

    def window(self, pace: Pace) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.window(pace)

    def epoch(self, epoch: Epoch) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.epoch(epoch)

    def finished(self, record: Record) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.finished(record)
