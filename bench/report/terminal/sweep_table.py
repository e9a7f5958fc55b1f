"""How a sweep goes, on the terminal: a table that stays where it is, or plain lines where nobody watches."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bench.core.record import Record, TrialRecord
from bench.report.terminal.duration import duration
from bench.results.metric_facts import facts_in, shown
from bench.run.sweep.estimate import Estimate
from bench.run.sweep.listener import SweepListener
from bench.run.sweep.scheduler import Scheduler, is_failure
from bench.run.sweep.task import Task


class SweepTable(SweepListener):
    """Shows what goes on, and prints a line for every run that ends. Use as a context manager.

    Args:
        console: to print to; the table is shown where it is a terminal.
        estimate: of the time that runs take, fed with those that end.
        at_once: runs made at once.
    """

    def __init__(self, console: Console, estimate: Estimate, at_once: int = 1) -> None:
        self._console, self._estimate, self._at_once = console, estimate, at_once
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._failed = 0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def began(self, task: Task) -> None:
        """Say so where there is no table that shows it."""
        if self._live is None:
            self._print(f"started: {task.label}")

    def notice(self, task: Task, words: str) -> None:
        """Print it."""
        self._print(f"{task.label}: {words}")

    def ended(self, task: Task, record: Record | TrialRecord, made: bool) -> None:
        """Print how the run ended."""
        if isinstance(record, Record):
            self._estimate.learn([record])
        self._failed += is_failure(record)
        known = facts_in([record] if isinstance(record, Record) else [])
        values = record.test if isinstance(record, Record) else record.validation
        scores = [
            f"{name} {score.value:.3f}"
            for name in shown(known, "headline")
            if (score := values.get(name)) is not None and score.value is not None
        ]
        why = "" if record.outcome == "finished" else f": {' '.join((record.reason or '').split()):.200}"
        self._print("  ".join([f"{record.outcome}: {task.label}, {duration(record.seconds)}{why}", *scores]))

    def tick(self, scheduler: Scheduler) -> None:
        """Draw the table anew."""
        if self._live is not None:
            self._live.update(self._table(scheduler), refresh=True)

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)

    def _table(self, scheduler: Scheduler) -> RenderableType:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for heading in ("running", "what", "step", "images/s", "for"):
            table.add_column(heading, justify="left" if heading in ("running", "what") else "right")
        now = scheduler.clock()
        for running in scheduler.running.values():
            news = running.news
            table.add_row(
                Text(running.task.label),
                "waiting for the device" if running.waiting else str(news.get("what", "starting")),
                f"{news['done']}/{news['total']}" if "done" in news else "",
                f"{news['rate']:.0f}" if news.get("rate") else "",
                duration(now - running.began),
            )
        return Group(table, Text(self.summary(scheduler)))

    def summary(self, scheduler: Scheduler) -> str:
        """Counts, and when all will be done."""
        done = len(scheduler.records) - self._failed
        left = len(scheduler.agenda) + len(scheduler.running)
        counts = f"{len(scheduler.running)} running, {done} done, {self._failed} failed, {left} left"
        return f"{counts}, eta {self._eta(scheduler)}" if left else counts

    def _eta(self, scheduler: Scheduler) -> str:
        """Time until all is done, from the plan's estimate as the runs of this sweep have corrected it."""
        running = [each.task for each in scheduler.running.values()]
        seconds, _ = self._estimate.total(task.spec for task in (*running, *scheduler.agenda.tasks) if task.spec.recipe)
        if seconds is None:
            return "unknown"
        spent = sum(scheduler.clock() - each.began for each in scheduler.running.values())
        return duration(max(0.0, seconds - spent) / self._at_once)
