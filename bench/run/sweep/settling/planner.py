"""`SettlingPlanner`: holds later seeds back, and runs those of cells whose comparison with the leader is open."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bench.core.amount import amount
from bench.core.errors import BenchError
from bench.core.record import MetricFacts, Record, TrialRecord
from bench.run.sweep.agenda import Order, Planner
from bench.run.sweep.settling.bound import Bound, Verdict
from bench.run.sweep.task import Task
from bench.run.sweep.tuning.planner import TuningPlanner

ERROR = 0.05
"""Probability at most that the best cell is ever left out."""
FIRST_SEEDS = 3
"""Of every cell, before any comparison is looked at."""


@dataclass
class Contest:
    """A cell on its way.

    Attributes:
        label: of the cell.
        scores: by seed.
        held: tasks of later seeds, by seed, with their order.
        pending: seeds that are being made.
        verdict: against the leader.
        failed: whether one of its runs did not finish: no more of them are made.
    """

    label: str
    scores: dict[int, float] = field(default_factory=dict)
    held: dict[int, tuple[Order, Task]] = field(default_factory=dict)
    pending: set[int] = field(default_factory=set)
    verdict: Verdict | None = None
    failed: bool = False


class SettlingPlanner:
    """Lets the first seeds of all cells be made, then one seed after the other of those that are open.

    A cell is out when it is worse than the leader, by a bound that holds however often one looks and for all cells
    together: the best cell is ever left out with a probability of `ERROR` at most.

    Args:
        metric, facts: that cells are compared by.
        cells: how many there are to come.
        first, most: seeds of every cell, and at most.
        margin: difference up to which two cells count as equal.
        inner: what makes the tasks, if anything has to be waited for.
        missing: how many cells will never have a run, as their tuning failed.
    """

    def __init__(
        self,
        metric: str,
        facts: MetricFacts,
        cells: int,
        first: int,
        most: int,
        margin: float = 0.0,
        inner: Planner | None = None,
        missing: Callable[[], int] = lambda: 0,
    ) -> None:
        self._metric, self._sign = metric, 1.0 if facts.higher_is_better else -1.0
        self._expected, self._first, self._inner, self._missing = cells, min(first, most), inner, missing
        self._most, self._margin = most, margin
        self.contests: dict[str, Contest] = {}
        self.leader: str | None = None

    @classmethod
    def of(
        cls, metric: str, facts: MetricFacts, cells: int, most: int, margin: float, tuning: TuningPlanner | None
    ) -> SettlingPlanner:
        """For a grid whose cells have `FIRST_SEEDS` seeds first, tuned or not.

        Raises:
            BenchError: too few cells or seeds for a comparison.
        """
        if most < FIRST_SEEDS or cells < 2:
            raise BenchError(
                f"--until-settled needs two cells, and --seeds {FIRST_SEEDS} or more: the most a cell gets"
            )
        missing = (lambda: len(tuning.failed)) if tuning else (lambda: 0)
        return cls(metric, facts, cells, FIRST_SEEDS, most, margin, tuning, missing)

    @cached_property
    def bound(self) -> Bound:
        """Shared among the comparisons of all cells with a leader."""
        return Bound(self._first, self._most, ERROR / max(1, self._expected - 1), self._margin)

    def begin(self, tasks: Iterable[tuple[Order, Task]], done: Iterable[Record] = ()) -> Iterator[tuple[Order, Task]]:
        """What is made first.

        Args:
            tasks: all that are left, with their order.
            done: records of runs that are done already.
        """
        for record in done:
            if record.spec.recipe:
                self._count(record.cell, f"{record.spec.model} x {record.recipe_name}", record)
        yield from self._admit(tasks)
        yield from self._release()

    def ended(self, task: Task, record: Record | TrialRecord) -> Iterator[tuple[Order, Task]]:
        """A task has ended: count it, and see who goes on."""
        if self._inner is not None:
            yield from self._admit(self._inner.ended(task, record))
        if isinstance(record, Record) and record.spec.recipe:
            self._count(task.spec.cell, task.label.rpartition(",")[0], record)
        yield from self._release()

    def _admit(self, tasks: Iterable[tuple[Order, Task]]) -> Iterator[tuple[Order, Task]]:
        """Let trials, baselines and first seeds pass; keep the others."""
        for order, task in tasks:
            if task.trial is not None or not task.spec.recipe:
                yield order, task
                continue
            contest = self.contests.setdefault(task.spec.cell, Contest(task.label.rpartition(",")[0]))
            contest.held[task.spec.seed] = order, task

    def _count(self, cell: str, label: str, record: Record) -> None:
        contest = self.contests.setdefault(cell, Contest(label))
        contest.pending.discard(record.spec.seed)
        score = record.test.get(self._metric)
        if record.outcome != "finished" or score is None or score.value is None:
            contest.failed = True
        else:
            contest.scores[record.spec.seed] = self._sign * score.value

    def _release(self) -> Iterator[tuple[Order, Task]]:
        """After a round: judge, and let one more seed go of every cell that is open, and of the leader."""
        for contest in self.contests.values():
            while contest.held and len(contest.scores) + len(contest.pending) < self._first and not contest.failed:
                yield self._go(contest)
        if len(self.contests) + self._missing() < self._expected or any(c.pending for c in self.contests.values()):
            return
        self._judge()
        open_ = [contest for contest in self.contests.values() if contest.verdict == "open" and contest.held]
        if not open_ or self.leader is None:
            return
        leading = self.contests[self.leader]
        count = min(len(contest.scores) for contest in open_)
        for contest in [leading, *open_]:
            if contest.held and len(contest.scores) <= count:
                yield self._go(contest)

    def _go(self, contest: Contest) -> tuple[Order, Task]:
        seed = min(contest.held)
        contest.pending.add(seed)
        return contest.held.pop(seed)

    def _judge(self) -> None:
        """Who leads, and what the others are against it on the seeds that both have."""
        alive = {
            cell: contest
            for cell, contest in self.contests.items()
            if not contest.failed and contest.verdict != "worse" and contest.scores
        }
        if not alive:
            return
        self.leader = max(alive, key=lambda cell: (statistics.fmean(alive[cell].scores.values()), cell))
        leading = alive[self.leader].scores
        for cell, contest in alive.items():
            common = leading.keys() & contest.scores.keys()
            differences = [leading[seed] - contest.scores[seed] for seed in sorted(common)]
            contest.verdict = None if cell == self.leader else self.bound.verdict(differences)

    def summary(self, names: Mapping[Verdict, str] | None = None) -> list[str]:
        """The leader, and what each of the others is against it, in lines."""
        if self.leader is None:
            return ["nothing is settled: no cell has enough seeds"]
        words = names or {"worse": "worse", "equal": "equal", "open": "open"}
        leading = self.contests[self.leader]
        lines = [f"leader by {self._metric}: {leading.label}, {self._figure(leading)}"]
        for cell, contest in sorted(self.contests.items(), key=lambda item: -self._mean(item[1])):
            if cell != self.leader:
                what = "failed" if contest.failed else words[contest.verdict] if contest.verdict else "open"
                lines.append(f"  {what}: {contest.label}, {self._figure(contest)}")
        return lines

    def _mean(self, contest: Contest) -> float:
        return statistics.fmean(contest.scores.values()) if contest.scores else -math.inf

    def _figure(self, contest: Contest) -> str:
        count = len(contest.scores)
        mean = f"{self._sign * self._mean(contest):.4f}" if count else "no score"
        return f"{mean} of {amount(count, 'seed')}"
