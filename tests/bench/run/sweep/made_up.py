"""Tasks that train nothing, an executor whose time is made up, and small sweeps of real runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.core.interruption import Interruption
from bench.core.protocol import find_protocol
from bench.core.record import Failure, Outcome, Record
from bench.run.sweep.executors.executor import Event
from bench.run.sweep.grid.grid import Grid
from bench.run.sweep.scheduler import Scheduler
from bench.run.sweep.sweep import Sweep
from bench.run.sweep.task import DataChoice, Task, WorkerConfig
from bench.run.sweep.worker.worker import Worker
from tests.bench.records import record

RECTANGLES = DataChoice(kind="tests.bench.rectangles:Rectangles")
SMALL = {"size": 32, "batch": 8, "epochs": 1, "train_samples": 16, "val_samples": 8, "test_samples": 8}


def small_sweep(folder: Path, *models: str, loss: str = "mask: bce, depth: l1", **more: Any) -> Sweep:
    given = {"device": "cpu", "baselines": False, "results": folder / "results", "runs": folder / "runs", **more}
    protocol = find_protocol("quick").override(**{**SMALL, **given.pop("changes", {})})
    grid = Grid(models or ["unet[width=4]"], given.pop("losses", [loss]))
    return Sweep(grid, RECTANGLES, protocol=protocol, **{"seeds": [0], **given})


def task(model: str = "unet", seed: int = 0) -> Task:
    return Task(spec=record(model, seed=seed).spec, recipe_name="bce_ssim")


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


Script = Callable[[Task], list[tuple[float, str, dict[str, Any]]]]
"""What a task does: after so many seconds, this kind of event with these values; the last one is ``ended``."""


def finishes(seconds: float = 10.0) -> Script:
    """Every task leaves a record after so long."""
    return lambda task: [
        (seconds, "recorded", {"path": task.key, "outcome": "finished"}),
        (seconds, "ended", {"status": 0}),
    ]


class ScriptedExecutor:
    """Does what a script says; asked to stop, a task ends two seconds later with 143, or never if it is deaf."""

    def __init__(self, clock: Clock, script: Script, slots: int = 1, deaf: bool = False) -> None:
        self.clock, self.script, self.slots, self.deaf = clock, script, slots, deaf
        self.submitted: list[str] = []
        self.most = 0
        self._coming: dict[str, list[tuple[float, str, dict[str, Any]]]] = {}

    @property
    def room(self) -> int:
        return self.slots - len(self._coming)

    def submit(self, task: Task) -> None:
        self.submitted.append(task.label)
        self._coming[task.key] = [(self.clock() + at, kind, values) for at, kind, values in self.script(task)]
        self.most = max(self.most, len(self._coming))

    def wait(self, seconds: float) -> Iterable[Event]:
        self.clock.now += seconds
        for key in list(self._coming):
            while (events := self._coming.get(key)) and events[0][0] <= self.clock():
                _, kind, values = events.pop(0)
                if kind == "ended":
                    del self._coming[key]
                yield Event(key, kind, values)

    def stop(self, key: str, kill: bool = False) -> None:
        if kill:
            self._coming[key] = [(self.clock(), "ended", {"status": -9})]
        elif not self.deaf:
            self._coming[key] = [(self.clock() + 2, "ended", {"status": 143})]

    def close(self) -> None:
        self._coming.clear()


class InProcessExecutor:
    """Makes tasks in this process, one after the other: for what does not depend on processes."""

    def __init__(self, config: WorkerConfig) -> None:
        self._worker = Worker(config)
        self._task: Task | None = None

    @property
    def room(self) -> int:
        return int(self._task is None)

    def submit(self, task: Task) -> None:
        self._task = task

    def wait(self, seconds: float) -> Iterable[Event]:
        if self._task is None:
            return []
        key, told = self._task.key, list[dict[str, Any]]()
        status = self._worker.make(self._task, told.append, Interruption())
        self._task = None
        events = [Event(key, each["kind"], each) for each in told]
        return [*events, Event(key, "ended", {"status": status})]

    def stop(self, key: str, kill: bool = False) -> None:
        """Nothing: no task goes on when it could be asked to end."""

    def close(self) -> None:
        """Nothing is left."""


def run_here(sweep: Sweep) -> Scheduler:
    """Make a sweep in this process."""
    return sweep.run(executor=InProcessExecutor(sweep.worker_config()))


class MemoryTaskRecords:
    """Keeps records in memory."""

    def __init__(self) -> None:
        self.written: dict[str, Record] = {}
        self.failures: dict[str, Failure | None] = {}

    def read(self, task: Task, path: str) -> Record:
        self.written[task.key] = record(task.spec.model, seed=task.spec.seed)
        return self.written[task.key]

    def lost(self, task: Task, outcome: Outcome, reason: str, failure: Failure | None) -> Record:
        self.failures[task.key] = failure
        self.written[task.key] = record(task.spec.model, seed=task.spec.seed, outcome=outcome, reason=reason)
        return self.written[task.key]
