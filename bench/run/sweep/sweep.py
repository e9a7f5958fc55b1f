"""`Sweep`: what ``bench sweep`` does; the same from Python."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from bench.core import files
from bench.core.errors import BenchError
from bench.core.interruption import Interruption
from bench.core.machine import environment, pick_device, pick_memory_format, pick_precision
from bench.core.protocol import Protocol
from bench.core.record import Record, TrialRecord
from bench.core.spec import RunSpec
from bench.data.loading.loader import Loader
from bench.data.source import Source
from bench.metrics import metrics as all_metrics
from bench.results import store
from bench.results.board import data_label
from bench.run.experiment import BASELINES
from bench.run.found import FoundRecords
from bench.run.preconditions import check_budget, check_heads, try_metrics, within
from bench.run.runner import discard
from bench.run.sweep.agenda import Agenda, Order
from bench.run.sweep.books import ResultsBooks
from bench.run.sweep.estimate import Estimate
from bench.run.sweep.executors.executor import Executor
from bench.run.sweep.executors.local import LocalExecutor
from bench.run.sweep.grid.grid import Cell, Grid
from bench.run.sweep.plan import Plan, disk_needed, free_disk
from bench.run.sweep.scheduler import Scheduler, SweepListener
from bench.run.sweep.settling.planner import SettlingPlanner
from bench.run.sweep.task import DataChoice, Task, WorkerConfig
from bench.run.sweep.tuning.found_trials import FoundTrials
from bench.run.sweep.tuning.planner import TuningPlanner, check_tuned
from bench.run.sweep.tuning.score import Weights, headline_of
from bench.run.sweep.tuning.trial_grid import TrialGrid
from bench.run.sweep.tuning.trial_runner import discard_trial
from bench.run.trained import initial_weights
from bench.train.assemble import NO_RECIPE, inputs_named, make_run
from bench.train.engines.engine import engine_for, engine_named
from registry.losses.recipe import HEADS

_BASELINES_FIRST = -1
FIRST_SEEDS = 3
"""Of every cell, before any comparison is looked at."""


@dataclass
class Sweep:
    """A grid of runs, each made in a process of its own, in an order that is useful at any time.

    Attributes:
        grid: models and losses.
        protocol, seeds, data: under which budget, how often, on which data.
        source: the data, where it is open already.
        precision, memory_format, engine, inputs, init, device: as for `bench.run.experiment.Experiment`.
        results, runs: folders of records, and of checkpoints and pictures.
        metrics: keys of metrics beside those of every evaluation.
        baselines: also fit those that learn nothing, unless they have records.
        again: run even what this machine and this code have a finished record of.
        fresh: begin anew where unfinished runs left a checkpoint.
        resume_anyway: go on from checkpoints of other code or arithmetic, too.
        strict: do not train what the audit finds broken.
        share: runs made at once on the device; with more than one their timings are marked.
        threads: that a run computes with on a CPU; None for as many as in this process.
        timeout: seconds for a run.
        max_seconds: for the whole sweep.
        retry_failed: try those again that have failed before.
        tune: values of a number to be tried for every cell before its runs.
        weights: of the heads in a trial's score.
        prune: stop trials that are out of the running.
        until_settled: hold later seeds back, and run them only where a comparison with the leader is open.
        settle_by: metric that cells are then compared by; the first that ranks a head, if none is named.
        margin: difference in it up to which two cells then count as equal.
        listeners: ``module:function`` that gives what draws and writes event files, by name.
        interruption: asked whether to stop.

    Raises:
        RegistryError, BenchError: a name or value that does not exist, things that do not go together, or a folder that
            cannot be written to; before anything is run.
    """

    grid: Grid
    protocol: Protocol
    seeds: Sequence[int]
    data: DataChoice
    source: Source | None = None
    precision: str = "auto"
    memory_format: str = "auto"
    engine: str = "auto"
    inputs: str = "pair"
    init: str = ""
    device: str = "auto"
    results: Path = Path("results")
    runs: Path = Path("runs")
    metrics: Sequence[str] = ()
    baselines: bool = True
    again: bool = False
    fresh: bool = False
    resume_anyway: bool = False
    strict: bool = False
    share: int = 1
    threads: int | None = None
    timeout: float | None = None
    max_seconds: float | None = None
    retry_failed: bool = False
    tune: TrialGrid | None = None
    weights: Weights = field(default_factory=Weights.parse)
    prune: bool = False
    until_settled: bool = False
    settle_by: str = ""
    margin: float = 0.0
    listeners: str = ""
    interruption: Interruption = field(default_factory=Interruption)
    scheduler: Scheduler | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._source = self.source or self.data.open()
        self.protocol = within(self.protocol, self._source)
        self._device = pick_device(self.device)
        self._precision = pick_precision(self._device, self.precision)
        self._memory_format = pick_memory_format(self.memory_format)
        if self.engine != "auto":
            engine_named(self.engine, self._device)
        self._inputs = inputs_named(self.inputs)
        self._init = initial_weights(self.results, self.runs, self.init) if self.init else None
        self._metrics = {metric.key: metric.facts for metric in map(all_metrics.bind, self.metrics)}
        self._description = self._source.describe()
        self.cells: Sequence[Cell] = self.grid.cells
        files.check_folder(self.results, "--results")
        files.check_folder(self.runs, "--runs")
        check_budget(self.protocol)
        _ = self.planner, self.settling
        for recipe in {cell.recipe.text: cell.recipe for cell in self.cells}.values():
            check_heads(recipe, self._source)
        try_metrics([*self._metrics], self._source, self.protocol)

    def headline(self) -> str:
        """What is swept, in one line."""
        data = data_label(self._description).replace("*", "")
        fixed = [name for name in (self.precision, self.memory_format) if name != "auto"]
        return "; ".join([f"{self.protocol.label} on {data}", environment(self._device).label, *fixed])

    @cached_property
    def estimate(self) -> Estimate:
        """What this machine's records tell of the time that runs take."""
        known = Estimate(environment(self._device).fingerprint, self.share)
        known.learn(record for _, record in store.read_all(self.results))
        return known

    @cached_property
    def plan(self) -> Plan:
        """What is to be made, and what is done already."""
        left: list[tuple[Order, Task]] = []
        done, failed = 0, list[Record]()
        self._done: list[tuple[Order, Task]] = []
        for order, task in self._tasks():
            if task.trial is not None:
                left.append((order, task))
            elif not (self.again and task.spec.recipe) and self._found.finished(task.spec, task.division) is not None:
                done += 1
                self._done.append((order, task))
            elif not self.retry_failed and not self.again and (kept := self._found.failed(task.spec, task.division)):
                failed.append(kept[0])
            else:
                left.append((order, task))
        self._left = left
        chosen = [task for _, task in left]
        to_come = [*self.planner.specs_to_come()] if self.planner else []
        seconds, unknown = self.estimate.total([task.spec for task in chosen if task.spec.recipe] + to_come)
        tasks = len(self.cells) * len(self.seeds) + (len(BASELINES) if self.baselines else 0)
        trials = self.planner.trial_count if self.planner else 0
        return Plan(
            cells=self.cells,
            left_out=self.grid.left_out,
            seeds=len(self.seeds),
            tasks=tasks,
            trials=trials,
            trials_done=trials - sum(task.trial is not None for task in chosen) if self.planner else 0,
            done=done,
            failed=failed,
            left=chosen,
            to_come=len(to_come),
            seconds=seconds,
            unknown=unknown,
            needed=disk_needed(
                [task.spec for task in chosen if task.trial is None] + to_come,
                self.estimate,
                self.share,
                self._sample_bytes() if chosen else 0,
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
        _ = self.plan
        store.sweep(self.results)
        if self.fresh:
            for _, task in self._left:
                discard(self.runs, task.spec)
        executor = executor or LocalExecutor(self.worker_config())
        self.scheduler = Scheduler(
            self._agenda(),
            executor,
            ResultsBooks(self.results, self.runs, self._device, self._found),
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
            return Agenda(self._left, self.planner)
        done = (self._found.finished(task.spec, task.division) for _, task in self._done)
        return Agenda(self.settling.begin(self._left, [found[0] for found in done if found]), self.settling)

    def worker_config(self) -> WorkerConfig:
        """What every process of the sweep needs to know."""
        return WorkerConfig(
            data=self.data,
            device=str(self._device),
            results=self.results.absolute(),
            runs=self.runs.absolute(),
            metrics=tuple(self._metrics),
            listeners=self.listeners,
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
            record = found.get(task)
            again = self.retry_failed and record is not None and record.outcome not in ("finished", "diverged")
            return None if self.again or again else record

        return TuningPlanner(
            self.tune,
            [(cell, self.spec(cell)) for cell in self.cells],
            self.seeds,
            [self.baseline(key) for key in BASELINES],
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
        if len(self.seeds) < FIRST_SEEDS or len(self.cells) < 2:
            raise BenchError(f"--until-settled needs two cells, and --seeds {FIRST_SEEDS} or more: the most one gets")
        heads = {head for cell in self.cells for head in cell.recipe.heads}
        metric = self.settle_by or headline_of(next(head for head in HEADS if head in heads))
        facts = self._metrics.get(metric) or all_metrics.facts(metric)
        return SettlingPlanner(
            metric,
            facts,
            len(self.cells),
            FIRST_SEEDS,
            len(self.seeds),
            self.margin,
            self.planner,
            missing=lambda: len(self.planner.failed) if self.planner else 0,
        )

    @cached_property
    def _found(self) -> FoundRecords:
        return FoundRecords(self.results, self._device, self._metrics)

    def _tasks(self) -> Iterator[tuple[Order, Task]]:
        """All tasks with their order: baselines, then the first seeds of all cells, then the second ones."""
        for place, key in enumerate(BASELINES if self.baselines else ()):
            yield (_BASELINES_FIRST, place), Task(spec=self.baseline(key), recipe_name=NO_RECIPE)
        if self.planner is not None:
            yield from self.planner.begin()
            return
        specs = [self.spec(cell) for cell in self.cells]
        for turn, seed in enumerate(self.seeds):
            for place, (cell, spec) in enumerate(zip(self.cells, specs, strict=True)):
                seeded = spec.model_copy(update={"seed": seed})
                first = spec.model_copy(update={"seed": self.seeds[0]}) if turn else None
                yield (turn, place), Task(spec=seeded, recipe_name=cell.recipe_name, audited=first)

    def spec(self, cell: Cell) -> RunSpec:
        """The spec of a cell's runs, with seed 0."""
        return make_run(
            cell.model,
            cell.recipe,
            self.protocol,
            self._description,
            recipe_name=cell.recipe_name,
            precision=self._precision,
            memory_format=self._memory_format,
            inputs=self._inputs,
            engine=engine_for(self.engine, self._device, cell.model, self.protocol),
            init=self._init,
        ).spec

    def baseline(self, key: str) -> RunSpec:
        """The spec of a baseline that learns nothing."""
        return make_run(key, None, self.protocol, self._description, inputs=self._inputs).spec

    def _sample_bytes(self) -> int:
        """Bytes of the samples that runs share on the disk."""
        protocol = self.protocol
        sizes = {stage.size for stage in protocol.stages}
        per_size = {size: Loader.form_of(self._source, "train", size).bytes for size in sizes}
        evaluated = protocol.val_samples + protocol.test_samples
        return sum(per_size[size] * protocol.train_samples for size in sizes) + per_size[protocol.size] * evaluated
