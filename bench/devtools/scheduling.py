"""Simulates a sweep's scheduler on many workers: how busy they are, and what the driver does meanwhile.

``python -m bench.devtools.scheduling`` prints a table for 50 models x 20 losses x 5 seeds. The scheduler is the real
one; only the workers are made up, with runs of the lengths given, and a time that a driver needs for each record, one
after the other.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from bench.core.protocol import find_protocol
from bench.core.record import Failure, Outcome, Record
from bench.core.spec import RunSpec
from bench.run.sweep.agenda import Agenda
from bench.run.sweep.executors.executor import Event
from bench.run.sweep.scheduler import Scheduler
from bench.run.sweep.task import Task

MODELS, LOSSES, SEEDS = 50, 20, 5
HOURS = 580 / 3600
"""Median length of a run under ``full``: that of `unet` at the rates measured on one H200, see docs/gpu.md."""
SPREAD = 0.5
"""Of the logarithm of a model's length, assumed: slow models take several times as long as fast ones."""
DRIVER_SECONDS = 0.05
"""That a driver needs to keep a record and its weights."""


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class SimulatedWorkers:
    """An executor whose tasks take the time that they are said to take.

    Args:
        count: of workers.
        lengths: seconds by model.
        clock: moved on.
        driver: seconds that the driver is busy with each record.
    """

    def __init__(self, count: int, lengths: dict[str, float], clock: _Clock, driver: float) -> None:
        self.count, self._lengths, self._clock, self._driver = count, lengths, clock, driver
        self._ends: list[tuple[float, str]] = []
        self.busy = 0.0
        self.driver_busy = 0.0

    @property
    def room(self) -> int:
        """Idle workers."""
        return self.count - len(self._ends)

    def submit(self, task: Task) -> None:
        """Begin a task now."""
        seconds = self._lengths[task.spec.model]
        self.busy += seconds
        heapq.heappush(self._ends, (self._clock() + seconds, task.key))

    def wait(self, seconds: float) -> Iterator[Event]:
        """The next task that ends; the driver is busy with it."""
        end, key = heapq.heappop(self._ends)
        self._clock.now = max(self._clock(), end) + self._driver
        self.driver_busy += self._driver
        yield Event(key, "recorded", {"path": key})
        yield Event(key, "ended", {"status": 0})

    def stop(self, key: str, kill: bool = False) -> None:
        """Nothing is stopped here."""

    def close(self) -> None:
        """Nothing is left."""


class _TaskRecords:
    def __init__(self, record: Record) -> None:
        self._record = record

    def read(self, task: Task, path: str) -> Record:
        return self._record

    def lost(self, task: Task, outcome: Outcome, reason: str, failure: Failure | None) -> Record:
        return self._record


@dataclass(frozen=True)
class Utilisation:
    """What a simulation found.

    Attributes:
        hours: until all is done.
        busy: share of the workers' time that they trained.
        driver: share of that time in which the driver kept records.
        seconds: that the scheduler itself took.
    """

    hours: float
    busy: float
    driver: float
    seconds: float


def tasks(models: int, losses: int, seeds: int) -> Iterable[tuple[tuple[int, int], Task]]:
    """A grid in the order of a sweep; slow models and fast ones as they come."""
    spec = RunSpec(model="", recipe="mask: bce", protocol=find_protocol("full"), data={})
    for seed in range(seeds):
        for place in range(models * losses):
            changes: dict[str, Any] = {"model": f"m{place // losses}", "recipe": f"r{place % losses}", "seed": seed}
            yield (seed, place), Task(spec=spec.model_copy(update=changes), recipe_name="")


def simulate(
    workers: int, grid: Sequence[int] = (MODELS, LOSSES, SEEDS), driver: float = DRIVER_SECONDS
) -> Utilisation:
    """Run the scheduler over a grid with so many workers."""
    draws = np.random.default_rng(0)
    hours = HOURS * np.exp(draws.normal(0, SPREAD, grid[0]))
    clock = _Clock()
    lengths = {f"m{index}": 3600 * float(length) for index, length in enumerate(hours)}
    executor = SimulatedWorkers(workers, lengths, clock, driver)
    scheduler = Scheduler(
        Agenda(tasks(*grid)), executor, _TaskRecords(cast(Record, SimpleNamespace(outcome="finished"))), clock=clock
    )
    began = time.perf_counter()
    scheduler.run()
    elapsed = clock()
    return Utilisation(
        elapsed / 3600,
        executor.busy / (workers * elapsed),
        executor.driver_busy / elapsed,
        time.perf_counter() - began,
    )


def table() -> str:
    """The figures for 1, 8, 64 and 512 workers, as a Markdown table."""
    lines = [
        "| workers | hours | workers train | driver busy | the scheduler's own time, s |",
        "| --- | --- | --- | --- | --- |",
    ]
    for workers in (1, 8, 64, 512):
        found = simulate(workers)
        lines.append(
            f"| {workers} | {found.hours:,.1f} | {found.busy:.1%} | {found.driver:.1%} | {found.seconds:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
