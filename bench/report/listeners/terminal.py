"""A run's progress on the terminal: a bar, and a line per epoch."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from bench.core.record import Epoch, Phase, Record
from bench.core.spec import RunSpec
from bench.results.metric_facts import facts_in, shown
from bench.train.events import Listener, Preview, WindowSummary


class Terminal(Listener):
    """A progress bar with the current rate and losses, and a line per epoch. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f}", markup=False),
            TextColumn("{task.fields[status]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            refresh_per_second=2,  # as often as values change; each redraw costs the training a millisecond
        )
        self._task: TaskID | None = None
        self._title = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._progress.stop()

    def preparing(self, what: str, done: int, total: int) -> None:
        """Show the progress of the preparation."""
        self._show(what, done, total, "")

    def notice(self, words: str) -> None:
        """Print the notice."""
        self._line(f"  {words}")

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        """Name the run."""
        self._title = f"{spec.model} seed {spec.seed}"
        if self._task is not None:  # left by the preparation
            self._progress.update(self._task, description=self._title, completed=0)
        if step:
            at = spec.protocol.steps_before(resumed_at + 1)
            within = f", step {step - at} of the next" if step > at else ""
            self._line(f"  resumed after epoch {resumed_at}{within}, from the checkpoint in {folder}")

    def phase(self, name: Phase) -> None:
        """Show the phase in place of rate and losses."""
        if self._task is not None:
            self._progress.update(self._task, status=name)

    def window(self, summary: WindowSummary) -> None:
        """Move the bar."""
        losses = " ".join(f"{name} {value:.3f}" for name, value in summary.losses.items())
        self._show(self._title, summary.step, summary.steps, f"{summary.images_per_second:.0f} images/s  {losses}")

    def epoch(self, epoch: Epoch) -> None:
        """Print the epoch's line."""
        scores = "  ".join(
            f"{name} {epoch.val_metrics[name]:.3f}"
            for name in shown(facts_in([]), "headline")
            if epoch.val_metrics.get(name) is not None
        )
        train = epoch.train_loss.get("total", float("nan"))
        val = epoch.val_loss.get("total", float("nan"))
        self._line(f"  epoch {epoch.epoch} at {epoch.size} px: loss {train:.4f}, validation {val:.4f}  {scores}")

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Remove the bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None

    def _line(self, words: str) -> None:
        """Print a line without markup, whatever the console's setting."""
        self._console.print(Text(words), soft_wrap=True)

    def _show(self, title: str, done: int, total: int, status: str) -> None:
        if self._task is None:
            self._task = self._progress.add_task(title, total=total, status=status)
        self._progress.update(self._task, description=title, completed=done, total=total, status=status)
