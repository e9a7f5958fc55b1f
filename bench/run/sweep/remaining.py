"""`Remaining`: which tasks of a sweep are left, and which are recorded already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.core.record import Record
from bench.run.found import FoundRecords
from bench.run.sweep.agenda import Order
from bench.run.sweep.task import Task

Ordered = tuple[Order, Task]


@dataclass
class Remaining:
    """Tasks by what has become of them.

    Attributes:
        left: to be made now; trials among them.
        done: runs that have a finished record.
        failed: records of those that failed before, and are not tried again.
    """

    left: list[Ordered] = field(default_factory=list)
    done: list[Ordered] = field(default_factory=list)
    failed: list[Record] = field(default_factory=list)

    @classmethod
    def of(cls, tasks: Iterable[Ordered], found: FoundRecords, again: bool, retry_failed: bool) -> Remaining:
        """Look every task up.

        Args:
            tasks: all, with their order; trials that are done already are not among them.
            found: the records.
            again: make what is recorded, too; baselines alone are taken from their records.
            retry_failed: make those that failed, too.
        """
        remaining = cls()
        for order, task in tasks:
            if task.trial is not None:
                remaining.left.append((order, task))
            elif not (again and task.spec.recipe) and found.finished(task.spec, task.division) is not None:
                remaining.done.append((order, task))
            elif not retry_failed and not again and (kept := found.failed(task.spec, task.division)):
                remaining.failed.append(kept[0])
            else:
                remaining.left.append((order, task))
        return remaining
