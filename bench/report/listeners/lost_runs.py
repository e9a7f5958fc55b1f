"""Runs of a sweep that could not report their own end, as their process was killed or took too long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.core.record import Record
from bench.report.listeners.trackers import build_trackers
from bench.run.sweep.listener import Kept, SweepListener
from bench.run.sweep.task import Task
from bench.train.events import Listener, OptionalListener


class LostRuns(SweepListener):
    """Reports their records to trackers.

    Args:
        keys: of the trackers.
        runs: folder of the runs' own folders.
        told: what is called with warnings.
    """

    def __init__(self, keys: Sequence[str], runs: Path, told: SweepListener) -> None:
        self._keys, self._runs, self._told = keys, runs, told

    def ended(self, task: Task, record: Kept, made: bool) -> None:
        """Report a record that the run's own process has not written."""
        if not made and isinstance(record, Record):
            for what, listener in build_trackers(self._keys).items():
                self._report(task, record, what, listener)

    def _report(self, task: Task, record: Record, what: str, listener: Listener) -> None:
        optional = OptionalListener(listener, what, lambda words: self._told.notice(task, words))
        optional.finished(record, self._runs / task.spec.id, None)
