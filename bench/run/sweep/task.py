"""`Task`: one training that a process of its own makes; and what every process of a sweep needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from bench.core.amount import amount
from bench.core.record import UNTUNED, Tuning
from bench.core.spec import RunSpec
from bench.data.source import Source
from bench.data.sources import open_source

BUSY = 75
"""Exit status of a process whose run another process makes: to be tried again later (``EX_TEMPFAIL``)."""


class Trial(BaseModel):
    """What a task tries, if it is a trial of tuning.

    Attributes:
        parameter: its path; "" for a baseline, whose score on validation is the zero of skill.
        value: that is tried.
        epochs: to train for; fewer than the protocol's where it may be pruned.
        reference: whether the value is the protocol's own, outside of the grid and not to be chosen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameter: str
    value: float
    epochs: int
    reference: bool = False


class Task(BaseModel):
    """One training to be made.

    Attributes:
        spec: everything that decides its outcome.
        recipe_name: the name under which the recipe was asked for, or its text.
        trial: what is tried, if it is a trial and no run.
        tuning: how a value of a run was chosen.
        audited: a run of the same model and loss with another seed, whose audit is taken where it has a record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: RunSpec
    recipe_name: str
    trial: Trial | None = None
    tuning: Tuning | None = None
    audited: RunSpec | None = None

    @property
    def key(self) -> str:
        """What tells it from all other tasks; ends in the id of its run."""
        return self.spec.id if self.trial is None else f"trial{self.trial.epochs}-{self.spec.id}"

    @property
    def division(self) -> str:
        """That its record is of."""
        return UNTUNED if self.tuning is None else self.tuning.division

    @property
    def label(self) -> str:
        """What is trained, in a few words."""
        loss = f" x {self.recipe_name}" if self.spec.recipe else ""
        if self.trial is not None:
            tried = f"{self.trial.parameter}={self.trial.value:g}" if self.trial.parameter else "on validation"
            return f"trial of {self.spec.model}{loss}, {tried}, {amount(self.trial.epochs, 'epoch')}"
        tuned = f", {self.tuning.parameter}={self.tuning.value:g}" if self.tuning else ""
        return f"{self.spec.model}{loss}{tuned}, seed {self.spec.seed}"


class DataChoice(BaseModel):
    """A source by its kind and options, so that another process can open it.

    Attributes:
        kind: a key of `bench.data.sources`.
        options: by name, as texts, numbers, and lists of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = "synthetic"
    options: dict[str, Any] = {}

    @classmethod
    def of(cls, kind: str, options: Mapping[str, Any]) -> DataChoice:
        """A choice by values as a source takes them; paths are made absolute."""
        return cls(kind=kind, options={name: _plain(value) for name, value in options.items()})

    def open(self) -> Source:
        """The source.

        Raises:
            UnknownName, BenchError, BadData: as `bench.data.sources.open_source`.
        """
        return open_source(self.kind, **self.options)


class WorkerConfig(BaseModel):
    """What all tasks of a sweep have in common.

    Attributes:
        data: to train on.
        device: to compute on, ``cpu`` or ``cuda:1``.
        results, runs: folders of records, and of checkpoints.
        metrics: keys of metrics beside those of every evaluation.
        listeners: ``module:function`` that gives listeners of a run, such as event files, by name; none if "".
        trackers: what that function is called with.
        share: runs that compute on the device at once; timings are worth something with 1 alone.
        threads: that torch computes with on a CPU.
        again: make a run even where it is found to be done when its turn comes.
        resume_anyway: go on from checkpoints of other code or arithmetic, too.
        strict: do not train what the audit finds broken.
        init: path, run and label of the weights that training starts from; None for random ones.
        models, recipes: of the grid, so that the code of all is imported once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: DataChoice
    device: str
    results: Path
    runs: Path
    metrics: tuple[str, ...] = ()
    listeners: str = ""
    trackers: tuple[str, ...] = ()
    share: int = 1
    threads: int
    again: bool = False
    resume_anyway: bool = False
    strict: bool = False
    init: tuple[Path, str, str] | None = None
    models: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()


def _plain(value: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(value, Path):
        return str(value.absolute())
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
