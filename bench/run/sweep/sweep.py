"""`Sweep`: what ``bench sweep`` does; the same from Python."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from bench.core.machine import environment
from bench.core.record import TrialRecord
from bench.metrics import metrics as all_metrics
from bench.results import store
from bench.run import folder as run_folder
from bench.run.baselines import fitting, what_is_lacking
from bench.run.found import FoundRecords
from bench.run.preconditions import check_heads, try_metrics
from bench.run.runner import discard
from bench.run.sweep.agenda import Agenda, Order
from bench.run.sweep.estimate import Estimate
from bench.run.sweep.executors.executor import Executor
from bench.run.sweep.executors.local import LocalExecutor
from bench.run.sweep.grid.grid import Cell, same_training
from bench.run.sweep.listener import SweepListener
from bench.run.sweep.options import SweepOptions
from bench.run.sweep.plan import Plan, disk_needed, free_disk, sample_bytes
from bench.run.sweep.remaining import Remaining
from bench.run.sweep.scheduler import Scheduler
from bench.run.sweep.settling.planner import SettlingPlanner
from bench.run.sweep.specs import CellSpecs
from bench.run.sweep.stored_task_records import StoredTaskRecords
from bench.run.sweep.task import Task, WorkerConfig
from bench.run.sweep.tuning.found_trials import FoundTrials
from bench.run.sweep.tuning.planner import TuningPlanner, check_tuned
from bench.run.sweep.tuning.score import headline_of
from bench.run.sweep.tuning.trial_runner import discard_trial
from bench.train.assemble import NO_RECIPE
from registry.losses.recipe import HEADS

_BASELINES_FIRST = -1


@dataclass
class Sweep(SweepOptions):
    """A grid of runs, each made in a process of its own, in an order that is useful at any time.

    ``threads`` become those of this process, too, as records are found by the arithmetic of as many.

    Raises:
        RegistryError, BenchError: a name or value that does not exist, things that do not go together, or a folder that
            cannot be written to; before anything is run.
    """

    scheduler: Scheduler | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.threads:
            torch.set_num_threads(self.threads)
        self.cells: Sequence[Cell] = self.grid.cells
        self._source = self.source or self.data.open()
        self._resolve(self._source)
        self.specs = CellSpecs(
            self.protocol,
            self._description,
            self._device,
            precision=self._precision,
            memory_format=self._memory_format,
            engine=self.engine,
            inputs=self._inputs,
            init=self._init,
        )
        _ = self.planner, self.settling
        for recipe in {cell.recipe.text: cell.recipe for cell in self.cells}.values():
            check_heads(recipe, self._source)
        try_metrics([*self._metrics], self._source, self.protocol)

    def headline(self) -> str:
        """What is swept, in one line; then what follows from what the data lacks."""
        return "\n".join([self._where(), *what_is_lacking(self._source, self._inputs)])

    @cached_property
    def estimate(self) -> Estimate:
        """What this machine's records tell of the time that runs take."""
        known = Estimate(environment(self._device).fingerprint, self.share)
        known.learn(record for _, record in store.read_all(self.results))
        return known

    @cached_property
    def remaining(self) -> Remaining:
        """What is left, done and failed."""
        return Remaining.of(self._tasks(), self._found, self.again, self.retry_failed)

    @cached_property
    def plan(self) -> Plan:
        """What is to be made, and what is done already."""
        chosen = [task for _, task in self.remaining.left]
        to_come = [*self.planner.specs_to_come()] if self.planner else []
        seconds, unknown = self.estimate.total([task.spec for task in chosen if task.spec.recipe] + to_come)
        tasks = len(self.cells) * len(self.seeds) + len(self._baselines)
        trials = self.planner.trial_count if self.planner else 0
        return Plan(
            cells=self.cells,
            left_out=self.grid.left_out,
            alike=same_training(self.cells),
            seeds=len(self.seeds),
            tasks=tasks,
            trials=trials,
            trials_done=trials - sum(task.trial is not None for task in chosen) if self.planner else 0,
            done=len(self.remaining.done),
            failed=self.remaining.failed,
            left=chosen,
            to_come=len(to_come),
            seconds=seconds,
            unknown=unknown,
            needed=disk_needed(
                [task.spec for task in chosen if task.trial is None] + to_come,
                self.estimate,
                self.share,
                sample_bytes(self._source, self.protocol) if chosen else 0,
            ),
            free=free_disk(self.runs),
            at_once=self.share,
        )

    def run(self, listener: SweepListener | None = None, executor: Executor | None = None) -> Scheduler:
        """Make what is left of the plan.

        Args:
            listener: told how it goes.
            executor: makes the runs; processes of this machine, if none is given.

        Returns:
            The scheduler, with the records and what is left.

        Raises:
            BenchError: the data cannot be opened by the processes that train.
            Interrupted: a second signal came.
        """
        left = self.remaining.left
        store.remove_strays(self.results)
        for _, task in self.remaining.done:
            run_folder.tidy(self.runs / task.spec.id)
        if self.fresh:
            for _, task in left:
                discard(self.runs, task.spec)
        executor = executor or LocalExecutor(self.worker_config())
        self.scheduler = Scheduler(
            self._agenda(),
            executor,
            StoredTaskRecords(self.results, self.runs, self._device, self._found),
            timeout=self.timeout,
            deadline=None if self.max_seconds is None else time.monotonic() + self.max_seconds,
            interruption=self.interruption,
            listener=listener or SweepListener(),
        )
        try:
            with self.interruption.deferred():
                self.scheduler.run()
        finally:
            executor.close()
        return self.scheduler

    def _agenda(self) -> Agenda:
        """What is left, and who adds to it."""
        if self.settling is None:
            return Agenda(self.remaining.left, self.planner)
        done = (self._found.finished(task.spec, task.division) for _, task in self.remaining.done)
        return Agenda(self.settling.begin(self.remaining.left, [found[0] for found in done if found]), self.settling)

    def worker_config(self) -> WorkerConfig:
        """What every process of the sweep needs to know."""
        return WorkerConfig(
            data=self.data,
            device=str(self._device),
            results=self.results.absolute(),
            runs=self.runs.absolute(),
            metrics=tuple(self._metrics),
            listeners=self.listeners,
            trackers=tuple(self.trackers),
            share=self.share,
            threads=self.threads or torch.get_num_threads(),
            again=self.again,
            resume_anyway=self.resume_anyway,
            strict=self.strict,
            init=(self._init.path.absolute(), self._init.run, self._init.label) if self._init else None,
            models=tuple(dict.fromkeys(cell.model for cell in self.cells)),
            recipes=tuple(dict.fromkeys(cell.recipe.text for cell in self.cells)),
        )

    @cached_property
    def planner(self) -> TuningPlanner | None:
        """Makes trials, and runs of what they find; None where nothing is tuned."""
        if self.tune is None:
            return None
        check_tuned(self.seeds)
        found = FoundTrials(self.results, self._device)

        def done(task: Task) -> TrialRecord | None:
            """The record of a trial that need not be made again."""
            record = found.get(task)
            again = self.retry_failed and record is not None and record.outcome not in ("finished", "diverged")
            return None if self.again or again else record

        return TuningPlanner(
            self.tune,
            [(cell, self.specs.of(cell)) for cell in self.cells],
            self.seeds,
            [self.specs.baseline(key) for key in fitting(self._source, self._inputs)],
            self.weights,
            self.prune,
            found=done,
            pruned=lambda task: discard_trial(self.runs, task.spec.id),
        )

    @cached_property
    def settling(self) -> SettlingPlanner | None:
        """Holds later seeds back; None where all are run.

        Raises:
            UnknownName, BenchError: no such metric, or too few seeds.
        """
        if not self.until_settled:
            return None
        heads = {head for cell in self.cells for head in cell.recipe.heads}
        metric = self.settle_by or headline_of(next(head for head in HEADS if head in heads))
        facts = self._metrics.get(metric) or all_metrics.facts(metric)
        return SettlingPlanner.of(metric, facts, len(self.cells), len(self.seeds), self.margin, self.planner)

    @property
    def _baselines(self) -> tuple[str, ...]:
        return fitting(self._source, self._inputs) if self.baselines else ()

    @cached_property
    def _found(self) -> FoundRecords:
        return FoundRecords(self.results, self._device, self._metrics)

    def _tasks(self) -> Iterator[tuple[Order, Task]]:
        """All tasks with their order: baselines, then the first seeds of all cells, then the second ones."""
        for place, key in enumerate(self._baselines):
            yield (_BASELINES_FIRST, place), Task(spec=self.specs.baseline(key), recipe_name=NO_RECIPE)
        if self.planner is not None:
            yield from self.planner.begin()
            return
        yield from self.specs.tasks(self.cells, self.seeds)
