"""`LivePage`: the leaderboard while a sweep goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench.core.record import Record
from bench.report.pages import keep_current
from bench.run.sweep.listener import Kept, SweepListener
from bench.run.sweep.task import Task

SECONDS = 30.0
"""Between two pages at least."""
SHARE = 0.01
"""Of the sweep's time that pages may take."""


class LivePage(SweepListener):
    """Writes the page anew when runs have ended, now and then; what it cannot write is left for the sweep's end.

    Args:
        results: folder of the records.
        page: to be written.
        clock: seconds that only increase.
    """

    def __init__(self, results: Path, page: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._results, self._page, self._clock = results, page, clock
        self._next = float("-inf")
        self.pause = SECONDS
        """Seconds between the last page and the next."""

    def ended(self, task: Task, record: Kept, made: bool) -> None:
        """Write the page if the last one is old enough; trials stand on no page."""
        began = self._clock()
        if began < self._next or not isinstance(record, Record):
            return
        try:
            keep_current(self._results, self._page)
        except Exception:  # damaged records or a full disk, which the sweep's end says once
            return
        finally:
            now = self._clock()
            self.pause = max(SECONDS, (now - began) / SHARE)
            self._next = now + self.pause
