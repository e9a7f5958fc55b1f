"""`Agenda`: which tasks are left, in which order; tuning and settling add some as others end."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from typing import Protocol

from bench.core.record import Record, TrialRecord
from bench.run.sweep.task import Task

Order = tuple[int, ...]
"""What comes first: the seed's place, then the cell's."""


class Planner(Protocol):
    """Learns how tasks ended and says what is to be made besides."""

    def ended(self, task: Task, record: Record | TrialRecord) -> Iterable[tuple[Order, Task]]:
        """A task has ended with this record.

        Returns:
            Further tasks.
        """


class Agenda:
    """Tasks that are left, the first seeds of all cells before second ones.

    Args:
        tasks: with their order.
        planner: asked for more whenever one has ended.
    """

    def __init__(self, tasks: Iterable[tuple[Order, Task]], planner: Planner | None = None) -> None:
        self._count = itertools.count()
        self._waiting = [(order, next(self._count), task) for order, task in tasks]
        heapq.heapify(self._waiting)
        self._planner = planner
        self._orders: dict[str, Order] = {}

    def __len__(self) -> int:
        """Tasks that nobody has begun."""
        return len(self._waiting)

    @property
    def tasks(self) -> list[Task]:
        """Those that nobody has begun, in order."""
        return [task for *_, task in sorted(self._waiting, key=lambda item: item[:2])]

    def take(self) -> Task:
        """The next one."""
        order, _, task = heapq.heappop(self._waiting)
        self._orders[task.key] = order
        return task

    def put_back(self, task: Task) -> None:
        """It could not be made now: after all others of its seed."""
        heapq.heappush(self._waiting, (self._orders[task.key], next(self._count), task))

    def ended(self, task: Task, record: Record | TrialRecord) -> list[Task]:
        """A task has ended; returns what has to be made because of that."""
        more = list(self._planner.ended(task, record)) if self._planner else []
        for order, each in more:
            heapq.heappush(self._waiting, (order, next(self._count), each))
        return [each for _, each in more]
