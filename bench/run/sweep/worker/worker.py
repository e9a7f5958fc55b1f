"""`Worker`: what a process does that makes one task of a sweep and ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import torch

from bench.audit.audit import audit
from bench.core.errors import BenchError
from bench.core.finding import Finding, Unsound, broken
from bench.core.interruption import Interruption
from bench.core.progress import Progress
from bench.core.record import Record, TrialRecord
from bench.metrics import metrics as all_metrics
from bench.run import folder as run_folder
from bench.run.device_lock import hold_device
from bench.run.found import Done, FoundRecords
from bench.run.runner import Runner
from bench.run.sweep.task import BUSY, Task, WorkerConfig
from bench.run.sweep.tuning.found_trials import FoundTrials
from bench.run.sweep.tuning.trial_runner import TrialRunner
from bench.run.sweep.worker.adoption import adopt
from bench.run.sweep.worker.reporter import Emit, Reporter
from bench.run.sweep.worker.samples import ready_samples
from bench.train.assemble import NO_RECIPE, Run
from bench.train.events import Listener, Listeners, OptionalListener
from bench.train.failures import describe
from bench.train.initial_weights import InitialWeights
from registry.errors import RegistryError
from registry.lookup.imports import find_attribute
from registry.losses import parse
from registry.models import models

R = TypeVar("R", bound=Runner)

_LAZY = ("filelock", "torch._dynamo", "torch.utils.tensorboard")
"""Modules that every run imports when it first needs them; the server of a sweep learns of others from its runs."""
_ELSEWHERE = "another process has made it meanwhile"


class Worker:
    """Makes tasks of one sweep. What is opened here serves every process that is forked from this one.

    Args:
        config: what all tasks have in common.

    Raises:
        UnknownName, BenchError, BadData: the data cannot be opened.
    """

    def __init__(self, config: WorkerConfig) -> None:
        self.config = config
        self.source = config.data.open()
        self._device = torch.device(config.device)
        self._init = InitialWeights(*config.init) if config.init else None
        self._metrics = {metric.key: metric.facts for metric in map(all_metrics.bind, config.metrics)}

    def preload(self) -> None:
        """Import what runs of the grid import at their first need, so that no process has to.

        What cannot be imported is left for the run that needs it, whose record then says why.
        """
        for module in _LAZY:
            with suppress(ImportError):
                import_module(module)
        wanted: list[Callable[[], object]] = [
            *(partial(models.get, key.partition("[")[0]) for key in self.config.models),
            *(partial(parse, text) for text in self.config.recipes),
            *(partial(all_metrics.bind, key) for key in (*all_metrics.default(), *self._metrics)),
            partial(self._optional_listeners, Reporter(lambda event: None)),
        ]
        for get in wanted:
            with suppress(Exception, SystemExit):
                get()

    def make(self, task: Task, emit: Emit, interruption: Interruption) -> int:
        """Make one task; says by events how it goes and where its record lies.

        Args:
            task: what to make.
            emit: sends events.
            interruption: asked after every step whether to stop.

        Returns:
            The exit status of the process: 0, or `BUSY`.

        Raises:
            BenchError, RegistryError: the run cannot begin, or its record cannot be written.
            Interrupted: somebody asked to stop; a checkpoint was written.
        """
        reporter = Reporter(emit)
        recipe = parse(task.spec.recipe) if task.spec.recipe else None
        init = self._init if recipe else None
        run = Run(task.spec, recipe, task.recipe_name or NO_RECIPE, init, task.tuning)
        with hold_device(self.config.device, self.config.share == 1, lambda: emit({"kind": "waiting"})):
            emit({"kind": "acquired"})
            try:
                if task.trial is not None:
                    tried = self._runner(TrialRunner, [reporter], interruption)
                    kept: Record | TrialRecord
                    kept, path = tried.trial(run, task.trial, lambda: self._found_trial(task, reporter))
                else:
                    listeners = [reporter, *self._optional_listeners(reporter)]
                    kept, path = self._make_run(self._runner(Runner, listeners, interruption), run, task, reporter)
            except run_folder.Busy:
                return BUSY
        emit({"kind": "recorded", "path": path.name, "outcome": kept.outcome, "reason": kept.reason})
        return 0

    def _make_run(self, runner: Runner, run: Run, task: Task, reporter: Reporter) -> Done:
        """Audit, train and test, unless somebody has done it meanwhile."""
        config = self.config

        def found() -> FoundRecords:
            """What is recorded by now, by whomever."""
            return FoundRecords(config.results, self._device, self._metrics)

        def meanwhile() -> Done | None:
            """What others have recorded of this run since the sweep looked for it; in another division, too."""
            if config.again:
                return None
            if (done := found().finished(task.spec, task.division)) is not None:
                reporter.notice(_ELSEWHERE)
                return done
            done = found().finished(task.spec, None)
            return None if done is None else adopt(config.results, *done, task.tuning)

        known = found().audit(task.audited) if task.audited else None
        findings = self._audit(run, reporter.preparing) if known is None else known
        if config.strict and (worst := broken(findings)):
            reasons = "; ".join(f"{finding.check}: {finding.finding}" for finding in worst)
            raise Unsound(f"not trained, as the audit found {reasons}")
        return runner.run(run, findings, meanwhile)

    def _found_trial(self, task: Task, reporter: Reporter) -> Path | None:
        """What others have recorded of this trial since the sweep looked for it."""
        path = None if self.config.again else FoundTrials(self.config.results, self._device).path(task)
        if path is not None:
            reporter.notice(_ELSEWHERE)
        return path

    def _runner(self, kind: type[R], listeners: Sequence[Listener], interruption: Interruption) -> R:
        config = self.config
        return kind(
            self.source.to(self._device),
            self._device,
            config.runs,
            config.results,
            Listeners(listeners),
            interruption,
            list(self._metrics),
            share=config.share,
            resume_anyway=config.resume_anyway,
            loaders=ready_samples(config.runs / "packed"),
        )

    def _audit(self, run: Run, progress: Progress) -> Sequence[Finding]:
        """What the audit finds, or that it could not be made; nothing for what has no recipe."""
        if run.recipe is None:
            return []
        try:
            return audit(run.recipe, self.source, run.spec.protocol, run.spec.model, progress=progress)
        except (BenchError, RegistryError):
            raise
        except (Exception, SystemExit) as error:  # what a model raises here it raises in its run, which records it
            about = f"cannot be made: {describe(error)}"
            return [Finding(check="audit", grade="broken", finding=about, advice="mend what raised it")]

    def _optional_listeners(self, reporter: Reporter) -> list[Listener]:
        """Listeners that draw, or write event files; the failure of one ends no run."""
        if not self.config.listeners:
            return []
        make: Callable[..., dict[str, Listener]] = find_attribute(self.config.listeners, "listeners of a sweep")
        named = make(*self.config.trackers)
        return [OptionalListener(listener, what, reporter.notice) for what, listener in named.items()]
