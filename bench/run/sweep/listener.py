"""`SweepListener`: what a sweep tells of how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.core.record import Record, TrialRecord
from bench.run.sweep.task import Task

if TYPE_CHECKING:
    from bench.run.sweep.scheduler import Scheduler

Kept = Record | TrialRecord
"""What a task leaves."""


class SweepListener:
    """Told how a sweep goes; does nothing. Override what you want to know."""

    def began(self, task: Task) -> None:
        """A task's process was started."""

    def notice(self, task: Task, words: str) -> None:
        """Something that a person should know of a task."""

    def ended(self, task: Task, record: Kept, made: bool) -> None:
        """A task has left a record.

        Args:
            task: it.
            record: finished, or not.
            made: whether its own process wrote it; one that could not has lost what it made.
        """

    def tick(self, scheduler: Scheduler) -> None:
        """Time has passed."""


class SweepListeners(SweepListener):
    """Several listeners, called in order."""

    def __init__(self, listeners: Sequence[SweepListener]) -> None:
        self._listeners = listeners

    def began(self, task: Task) -> None:
        """Call all."""
        for listener in self._listeners:
            listener.began(task)

    def notice(self, task: Task, words: str) -> None:
        """Call all."""
        for listener in self._listeners:
            listener.notice(task, words)

    def ended(self, task: Task, record: Kept, made: bool) -> None:
        """Call all."""
        for listener in self._listeners:
            listener.ended(task, record, made)

    def tick(self, scheduler: Scheduler) -> None:
        """Call all."""
        for listener in self._listeners:
            listener.tick(scheduler)
