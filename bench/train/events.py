"""What a run tells others while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.record import Epoch, Record
from bench.core.spec import RunSpec


@dataclass(frozen=True)
class WindowSummary:
    """Where training stands after a window: epoch and step (from 1), total steps, mean loss by term, images/s."""

    epoch: int
    step: int
    steps: int
    losses: dict[str, float]
    images_per_second: float


class Listener:
    """Told of what happens; does nothing. Override what you want to know."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Something is done ahead of training: samples rendered, precisions raced, recipes audited."""

    def started(self, spec: RunSpec, folder: Path, resumed_at: int) -> None:
        """Training begins, or goes on after ``resumed_at`` epochs."""

    def phase(self, name: str) -> None:
        """The run passes to ``training``, ``validation``, ``checkpoint`` or ``test``."""

    def notice(self, words: str) -> None:
        """Something that whoever reads the results should know, in a sentence."""

    def window(self, summary: WindowSummary) -> None:
        """A window of training steps is over."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch was trained and validated."""

    def finished(self, record: Record) -> None:
        """The run is over, one way or another."""


class Listeners(Listener):
    """Several as one."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._watchers = listeners

    def preparing(self, what: str, done: int, total: int) -> None:
        """Tell all."""
        for listener in self._watchers:
            listener.preparing(what, done, total)

    def started(self, spec: RunSpec, folder: Path, resumed_at: int) -> None:
        """Tell all."""
        for listener in self._watchers:
            listener.started(spec, folder, resumed_at)

    def phase(self, name: str) -> None:
        """Tell all."""
        for listener in self._watchers:
            listener.phase(name)

    def notice(self, words: str) -> None:
        """Tell all."""
        for listener in self._watchers:
            listener.notice(words)

    def window(self, summary: WindowSummary) -> None:
        """Tell all."""
        for listener in self._watchers:
            listener.window(summary)

    def epoch(self, epoch: Epoch) -> None:
        """Tell all."""
        for listener in self._watchers:
            listener.epoch(epoch)

    def finished(self, record: Record) -> None:
        """Tell all."""
        for listener in self._watchers:
            listener.finished(record)
