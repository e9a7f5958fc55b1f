"""`Scheduler`: gives tasks to an executor, one after the other, until all are made or it is time to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from bench.core.interruption import Interruption
from bench.core.record import Failure, Outcome, Phase, TrialRecord
from bench.run.sweep.agenda import Agenda
from bench.run.sweep.executors.executor import Event, Executor
from bench.run.sweep.listener import Kept, SweepListener
from bench.run.sweep.task import BUSY, Task

PATIENCE = 60.0
"""Seconds that a task has to end in after it was asked to."""
_POLL = 0.5
_AGAIN = 2.0
"""Seconds after which a run is tried again that another process was making."""

Stop = Literal["timeout", "interrupted", "deadline"]


class TaskRecords(Protocol):
    """Where the records of tasks are kept."""

    def read(self, task: Task, path: str) -> Kept:
        """The record that a task has written under this name."""

    def lost(self, task: Task, outcome: Outcome, reason: str, failure: Failure | None) -> Kept:
        """Write the record of a task that could not write its own."""


@dataclass
class Running:
    """A task that goes on.

    Attributes:
        task: it.
        began: when its process began, or got the device, by the scheduler's clock.
        waiting: whether it waits for others to leave the device.
        news: what it told last, by name.
        stopped: why it was asked to end.
        stopped_at: when.
        killed: whether it did not end and was killed.
        written: name of its record.
        refused: why it could not begin.
    """

    task: Task
    began: float
    waiting: bool = False
    news: dict[str, Any] = field(default_factory=dict)
    stopped: Stop | None = None
    stopped_at: float = 0.0
    killed: bool = False
    written: str | None = None
    refused: dict[str, Any] | None = None


@dataclass
class Scheduler:
    """Keeps an executor busy.

    Attributes:
        agenda: what is left.
        executor: makes it.
        task_records: where the records of tasks are kept.
        timeout: seconds for a run, None for any.
        deadline: when to stop by ``clock``, None for never.
        interruption: asked whether to stop.
        listener: told how it goes.
        clock: seconds that only increase.
        running: tasks that go on, by key.
        records: of the tasks that have ended, by key.
        durations: seconds that ended tasks took, by key.
        interrupted: why it stopped before all was done; None if all was.
    """

    agenda: Agenda
    executor: Executor
    task_records: TaskRecords
    timeout: float | None = None
    deadline: float | None = None
    interruption: Interruption = field(default_factory=Interruption)
    listener: SweepListener = field(default_factory=SweepListener)
    clock: Callable[[], float] = time.monotonic
    running: dict[str, Running] = field(default_factory=dict, init=False)
    records: dict[str, Kept] = field(default_factory=dict, init=False)
    durations: dict[str, float] = field(default_factory=dict, init=False)
    interrupted: Stop | None = field(default=None, init=False)
    _retry_at: float = field(default=0.0, init=False)
    _elsewhere: set[str] = field(default_factory=set, init=False)

    def run(self) -> None:
        """Make everything, or as much as there is time for.

        Raises:
            Interrupted: a second signal came; nothing was waited for.
        """
        try:
            while self.running or (self.agenda and self.interrupted is None):
                if self.interrupted is None:
                    self._fill()
                for event in self.executor.wait(_POLL):
                    self._handle(event)
                self._look_at_the_time()
                self.listener.tick(self)
        finally:
            for key in self.running:  # on the way out of an error, or of a second signal
                self.executor.stop(key, kill=True)

    def _fill(self) -> None:
        """Give the executor what it has room for."""
        while self.agenda and self.executor.room > 0 and self.clock() >= self._retry_at:
            task = self.agenda.take()
            self.running[task.key] = Running(task, self.clock())
            self.executor.submit(task)
            if task.key not in self._elsewhere:
                self.listener.began(task)

    def _handle(self, event: Event) -> None:
        running = self.running.get(event.key)
        if running is None:
            return
        if event.kind == "ended":
            del self.running[event.key]
            self._end(running, event.values["status"], event.values.get("output", ""))
        elif event.kind == "recorded":
            running.written = event.values["path"]
        elif event.kind == "refused":
            running.refused = event.values
        elif event.kind == "notice":
            self.listener.notice(running.task, event.values["words"])
        elif event.kind in ("waiting", "acquired"):
            running.waiting = event.kind == "waiting"
            running.began = self.clock()
        else:
            running.news.update(event.values)

    def _end(self, running: Running, status: int, output: str) -> None:
        """A task's process is over: find its record, or make one, or try it again."""
        task, seconds = running.task, self.clock() - running.began
        self.durations[task.key] = seconds
        if running.written is not None:
            record = self.task_records.read(task, running.written)
        elif status == BUSY:
            self.agenda.put_back(task)
            self._retry_at = self.clock() + _AGAIN
            if task.key not in self._elsewhere:
                self._elsewhere.add(task.key)
                self.listener.notice(task, "another process is making it; looked at again until it is done")
            return
        elif running.stopped in ("interrupted", "deadline"):
            self.agenda.put_back(task)
            return
        else:
            outcome, reason = self._verdict(running, status)
            record = self.task_records.lost(task, outcome, reason, _failure(running, output))
        self.records[task.key] = record
        self.agenda.ended(task, record)
        self.listener.ended(task, record, made=running.written is not None)

    def _verdict(self, running: Running, status: int) -> tuple[Outcome, str]:
        """What to call the end of a task that has left no record."""
        if running.stopped == "timeout":
            deaf = f", and killed {PATIENCE:.0f} s after it was asked to end" if running.killed else ""
            return "timeout", f"not done after {self.timeout:.0f} s{deaf}"
        if running.refused is not None:
            return "failed", running.refused["reason"]
        if status < 0:
            name = signal.Signals(-status).name if -status in {*signal.Signals} else f"signal {-status}"
            return "killed", f"its process was ended by {name}"
        if status in (128 + signal.SIGTERM, 128 + signal.SIGINT):
            return "killed", "its process was asked to end by somebody else"
        return "failed", f"its process ended with status {status} and without a record"

    def _look_at_the_time(self) -> None:
        now = self.clock()
        if self.interrupted is None:
            if self.interruption.requested:
                self._stop_all("interrupted")
            elif self.deadline is not None and now >= self.deadline and (self.running or self.agenda):
                self._stop_all("deadline")
        for key, running in self.running.items():
            late = self.timeout is not None and not running.waiting and now - running.began > self.timeout
            if late and running.stopped is None:
                running.stopped, running.stopped_at = "timeout", now
                self.executor.stop(key)
                words = f"not done after {self.timeout:.0f} s: it may take {PATIENCE:.0f} s to end its step and be kept"
                self.listener.notice(running.task, words)
            elif running.stopped is not None and now - running.stopped_at > PATIENCE:
                running.stopped_at, running.killed = now, True
                self.executor.stop(key, kill=True)

    def _stop_all(self, why: Stop) -> None:
        self.interrupted = why
        for key, running in self.running.items():
            if running.stopped is None:
                running.stopped, running.stopped_at = why, self.clock()
                self.executor.stop(key)


def _failure(running: Running, output: str) -> Failure | None:
    """What is known of a run that could not say it in a record of its own; None where its folder tells more."""
    if running.refused is not None:
        said = running.refused
        return Failure(phase="preparation", exception=said.get("exception"), traceback=said.get("traceback", []))
    return Failure(phase=_phase(running.news), traceback=output.splitlines()[-8:]) if output else None


def _phase(news: dict[str, Any]) -> Phase | None:
    """The phase that a run was last heard of in."""
    return next((phase for phase in get_args(Phase) if phase == news.get("what")), None)


def is_failure(record: Kept) -> bool:
    """Whether something went wrong; a trial that diverged has told what it was made for."""
    return record.outcome not in (("finished", "diverged") if isinstance(record, TrialRecord) else ("finished",))
