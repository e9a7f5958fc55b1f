"""An experiment: several models under the same loss, protocol and source, beside the baselines that learn nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.audit.audit import audit
from bench.core.errors import BenchError
from bench.core.finding import Finding, Unsound, broken, headline
from bench.core.record import Record
from bench.data.source import Source
from bench.results import store
from bench.run import folder as run_folder
from bench.run.baselines import fitting, is_fitted, what_is_lacking, why_left_out
from bench.run.device_lock import hold_device
from bench.run.found import Done, FoundRecords
from bench.run.options import RunOptions
from bench.run.preconditions import check_heads, try_metrics
from bench.run.runner import Runner, discard
from bench.train.assemble import NO_RECIPE, Run, make_run
from bench.train.checks.trial import try_out
from bench.train.engines.engine import engine_for
from bench.train.events import Listener
from bench.train.failures import describe
from registry.errors import RegistryError
from registry.losses import parse
from registry.models import models


@dataclass
class Experiment(RunOptions):
    """What ``bench run`` does; the same from Python.

    Attributes:
        models: keys of `registry.models`.
        loss: a recipe's name or text.
        source: the data.
        strict: run nothing at all if the audit of any model finds something broken.
        failed: whether a run did not finish.

    Raises:
        RegistryError, BenchError: a name or value that does not exist, a folder that cannot be written to, or a model
            that does not train on a batch of the protocol's own size; before anything is run.
    """

    models: Sequence[str]
    loss: str
    source: Source
    failed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._recipe = parse(self.loss)
        self._keys = list(dict.fromkeys(models.canonical(key) for key in self.models))
        self._resolve(self.source)
        self._check()
        self._baseline_records: list[Record] = []
        self._audits: dict[str, list[Finding]] = {}

    def _check(self) -> None:
        """Find out what does not go together, so that a mistake shows before anything is trained."""
        check_heads(self._recipe, self.source)
        for key in self._keys:
            if reason := why_left_out(key, self.source, self._inputs):
                raise BenchError(f"{key} cannot be fitted: {reason}")
            if not is_fitted(key):
                if self._init is not None:
                    self._init.compare(models.build(key))
                try_out(self._run(key, 0), self.source, self._device)
        try_metrics([*self._metrics], self.source, self.protocol)

    def headline(self) -> str:
        """What will be run, in two lines; then what follows from what the data lacks."""
        lacking = what_is_lacking(self.source, self._inputs)
        return "\n".join([self._where(), f"loss: {self._recipe.text}", *lacking])

    def run(self, listener: Listener, announce: Callable[[str], None]) -> Iterator[tuple[Record, Path, bool]]:
        """Run everything; yields each record with its file and whether it was made just now.

        A run that another process is making is waited for, and its record taken.

        Raises:
            Unsound: the audit found something broken and this is ``strict``; nothing was written.
            Interrupted: a signal requested to stop.
        """
        runner = Runner(
            self.source.to(self._device),
            self._device,
            self.runs,
            self.results,
            listener,
            self.interruption,
            list(self._metrics),
            resume_anyway=self.resume_anyway,
        )
        if self.strict:
            self._refuse(runner, announce)
        store.remove_strays(self.results)
        for run in self._all():
            known = set(self._records().paths(run.spec))
            found = self._found(run, announce) if not self.again or run.recipe is None else None
            made = found is None
            if found is not None:
                runner.show_again(run, found[0])
            else:
                announce(f"{run.spec.model}, seed {run.spec.seed} ({run.spec.id})")
                audited = [] if run.recipe is None else self._audit(run.spec.model, runner, announce)
                found, made = self._make(run, runner, audited, known, announce)
                for alarm in self._records().alarms(run.spec):
                    announce(f"  alarm: {alarm}")
            record, path = found
            if run.recipe is None:
                self._baseline_records.append(record)
            self.failed |= record.outcome != "finished"
            yield record, path, made
            if self.interruption.requested:
                self.interruption.leave("stopped after that run; the same command goes on with those that are left")

    def baseline_records(self) -> list[Record]:
        """The records of the baselines so far."""
        return self._baseline_records

    def _make(
        self,
        run: Run,
        runner: Runner,
        audited: Sequence[Finding],
        known: set[Path],
        announce: Callable[[str], None],
    ) -> tuple[Done, bool]:
        """Make a run, or wait for whoever makes it already and take that record; says whether it was made here."""
        taken: list[Done] = []

        def meanwhile() -> Done | None:
            """What others have recorded of this run since it was looked for."""
            for path in self._records().paths(run.spec):
                if path not in known:
                    taken.append((store.read(path), path))
                    return taken[-1]
            if self.fresh:
                discard(self.runs, run.spec)
            return None

        def waiting() -> None:
            announce(f"  a sweep times a run on {self._device}: waiting for its end")

        while True:
            try:
                with hold_device(str(self._device), alone=False, waiting=waiting):
                    return runner.run(run, audited, meanwhile), not taken
            except run_folder.Busy:
                announce("  another process is making this run: waiting for it")
                with run_folder.locked(self.runs / run.spec.id, wait=True):
                    pass

    def _audit(self, key: str, runner: Runner, announce: Callable[[str], None]) -> list[Finding]:
        """What the audit finds for a model, once for all its seeds; its headline is announced."""
        if key not in self._audits:
            try:
                self._audits[key] = audit(
                    self._recipe, runner.source, self.protocol, key, progress=runner.listener.preparing
                )
            except (BenchError, RegistryError):
                raise
            except (Exception, SystemExit) as error:  # what a model raises here it raises in its run, which records it
                about = f"cannot be made: {describe(error)}"
                self._audits[key] = [
                    Finding(check="audit", grade="broken", finding=about, advice="mend what raised it")
                ]
            announce(headline(self._audits[key]))
        return self._audits[key]

    def _refuse(self, runner: Runner, announce: Callable[[str], None]) -> None:
        for key in (key for key in self._keys if not is_fitted(key)):
            worst = broken(self._audit(key, runner, announce))
            if worst:
                lines = [f"  {finding.check}: {finding.finding}; {finding.advice}" for finding in worst]
                raise Unsound("\n".join([f"{key} is not trained, as the audit found:", *lines]))

    def _all(self) -> Iterator[Run]:
        asked = filter(is_fitted, self._keys)
        for key in dict.fromkeys([*(fitting(self.source, self._inputs) if self.baselines else ()), *asked]):
            yield self._run(key, 0)
        for seed in self.seeds:
            for key in self._keys:
                if not is_fitted(key):
                    yield self._run(key, seed)

    def _run(self, key: str, seed: int) -> Run:
        learns = not is_fitted(key)
        return make_run(
            key,
            self._recipe if learns else None,
            self.protocol,
            self._description,
            recipe_name=self.loss if learns else NO_RECIPE,
            precision=self._precision,
            memory_format=self._memory_format,
            inputs=self._inputs,
            init=self._init if learns else None,
            engine=engine_for(self.engine, self._device, key, self.protocol) if learns else "eager",
            seed=seed,
        )

    def _found(self, run: Run, announce: Callable[[str], None]) -> Done | None:
        """A finished record of this very run; if only records of another version exist, the reason is announced."""
        records = self._records()
        found = records.finished(run.spec)
        if found is None and (faults := records.faults(run.spec)):
            announce(f"{run.spec.model}, seed {run.spec.seed}: a record {' or '.join(faults)}: run anew")
        return found

    def _records(self) -> FoundRecords:
        """What is recorded by now, by whomever."""
        return FoundRecords(self.results, self._device, self._metrics)
