"""A progress bar that is drawn on updates only."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn


class Bar:
    """A `Progress` that draws a bar, removed when the work is done. Use as a context manager.

    No thread redraws it, so that it does not disturb a measurement.

    Args:
        console: to draw on; nothing is drawn where it is no terminal.
        after: seconds before the bar appears; shorter work draws nothing.
    """

    def __init__(self, console: Console, after: float = 0.0) -> None:
        self._after, self._began = after, 0.0
        self._progress = rich.progress.Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f}  {task.description}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            auto_refresh=False,
        )
        self._task = self._progress.add_task("", total=1, visible=False)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        if not self._after:
            self._start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._progress.live.is_started:
            self._progress.update(self._task, visible=False)
            self._progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Draw the bar."""
        self._progress.update(self._task, description=what, completed=done, total=total, visible=True)
        if not self._progress.live.is_started and time.monotonic() - self._began >= self._after:
            self._start()
        if self._progress.live.is_started:
            self._progress.refresh()

    def _start(self) -> None:
        if self._progress.console.is_terminal:  # elsewhere, stopping would leave an empty line
            self._progress.start()
