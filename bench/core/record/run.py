"""`Record`: what a finished or failed run leaves in ``results/``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.core.environment import Environment
from bench.core.finding import Finding
from bench.core.protocol import Protocol
from bench.core.record.metric_facts import MetricFacts
from bench.core.record.timings import Timings
from bench.core.record.tuning import UNTUNED, Tuning
from bench.core.spec import MemoryFormat, Precision, RunSpec

Outcome = Literal["finished", "diverged", "oom", "failed", "killed", "timeout"]
Phase = Literal["preparation", "training", "validation", "checkpoint", "test"]


class Epoch(BaseModel):
    """One pass over the training samples.

    Attributes:
        epoch: counted from 1.
        size: side of the images, pixels.
        learning_rate: at its end.
        train_loss, val_loss: means by term, of the training and of the validation samples.
        val_metrics: on the validation samples; None where a metric has no value.
        gradients: norms on the shared trunk by head and term and their cosine, see `bench.train.task_gradients`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    size: int
    learning_rate: float
    train_loss: dict[str, float]
    val_loss: dict[str, float]
    val_metrics: dict[str, float | None]
    gradients: dict[str, float] | None = None


class Score(BaseModel):
    """One metric over the test split.

    Attributes:
        value: mean over the images where the metric is defined; finite.
        images: how many those are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None = Field(allow_inf_nan=False)
    images: int


class Failure(BaseModel):
    """Where and how a run ended that did not finish.

    Attributes:
        phase: what it was doing.
        epoch, step: counted from 1; ``step`` within the epoch, or the batch of a validation or test pass.
        samples: ids of the batch, in the part that the phase reads.
        term: the loss term that was the first to be NaN or infinite.
        exception: the kind of the error, by its class.
        traceback: the last lines of it; files by their names alone.
        peak_mib: memory at its worst until then.
        block: the block of the step in which memory ran out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phase: Phase | None = None
    epoch: int | None = None
    step: int | None = None
    samples: list[int] = []
    term: str | None = None
    exception: str | None = None
    traceback: list[str] = []
    peak_mib: float | None = None
    block: str | None = None


class Load(BaseModel):
    """What others did to the machine while the rates of training were measured.

    Attributes:
        windows: of training steps that were watched.
        disturbed: how many of them were disturbed; they are left out of the rates unless all windows were.
        others: share of the time of all cores that other processes took, median over windows; None where not counted.
        reasons: how many windows were disturbed by what.
        marked: whether every window was disturbed, so that the rates are of such windows and not to be compared.
        unknown: why nothing could be watched; None where it could.
        shared: runs that were made on the device at once, on purpose: where it is over 1, no rate or time of this
            record says what training costs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: int
    disturbed: int
    others: float | None = None
    reasons: dict[str, int] = {}
    marked: bool = False
    unknown: str | None = None
    shared: int = 1


class PrecisionChoice(BaseModel):
    """How precision and memory format were chosen in records of format 1; read, never written.

    Attributes:
        precision, layout: as in the spec; ``layout`` is the memory format.
        origin: ``measured`` on that machine, taken from the ``records`` of the same leaderboard row, or the device's
            ``default``.
        rates: images/s of a training step by precision and memory format, where they were measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision
    layout: MemoryFormat
    origin: Literal["measured", "records", "default"]
    rates: dict[str, float] = {}


class Record(BaseModel):
    """Everything about a run, under a published JSON schema.

    Attributes:
        format: raised when this shape changes; records of format 1 lack the fields from ``failure`` on.
        spec: what was asked for, which decides the run.
        id, cell: of ``spec``, repeated for those who read without this package.
        recipe_name: the name by which the recipe was given, or its text.
        outcome, reason: how it ended, and why where it did not finish.
        started, finished: when the run began and ended, UTC, ISO 8601.
        seconds: that it took; of a resumed run, since it was last taken up.
        code: hash over the source of ``bench`` and ``registry``, and over that of the user's plug-ins.
        parameters, gmacs: of the model; multiply-adds of a forward pass of a single pair at the evaluated size.
        environment, fingerprint: machine and software, and eight hex digits over them.
        epochs: the passes over the training samples, as far as it came.
        best_epoch: the epoch whose weights were tested: that of lowest validation loss.
        test: metrics on the test split, read once.
        seen: the same metrics on as many further samples of the backgrounds and objects of training; what ``test`` is
            worse by is the generalisation gap. Empty where there are none. See ``facts``.
        timings: of training; ``evaluation`` the same for the validation and test passes.
        loading: tier by which samples came, ``resident``, ``streamed`` or ``live``, and ``and`` where stages differ.
        peak_mib: highest memory use in training; of format 1 on a CPU, of the whole process.
        resumed: times the run was taken up again from a checkpoint.
        audit: what the soundness audit found before training; empty for what has no recipe.
        choice: of format 1, how precision and memory format were chosen.
        pooled_terms: loss terms that pool over the batch, with the size of the batches on which validation saw them.
        metrics: what is known of each metric in ``test``, so that a page needs no user's code.
        failure: where and how it ended, if it did not finish.
        arithmetic: names the kind of arithmetic: twelve hex digits over device, torch version, precision and the bits
            that a small fixed net gives, see `bench.train.arithmetic`. It and a spec determine the outcome on a CPU.
        load: of the machine while rates were measured.
        peak_of: what ``peak_mib`` is: torch's ``allocator``, the process's ``growth`` over the beginning of training,
            or all of the ``process``, as in format 1.
        division: ``untuned``, or ``tuned (n trials)``; only boards of the same division are compared.
        tuning: how its hyper-parameter was chosen, in the divisions that are tuned.
        facts: what else is worth knowing: ``data`` (what ``auto`` decided, what is doubted), ``model`` (weights that
            were left out or come from elsewhere), ``gmacs`` (why they are missing), ``plugins`` (with their versions),
            ``own_code`` (hash over the files of a user's own model and of what it imports),
            ``engine`` (why its steps were not captured, and how they ran), ``blocks`` (why they were not timed, or that
            they are launch times), ``peak_mib`` (by stage), ``resumed_from`` (other code or arithmetic
            that made the beginning), ``metrics`` (why some have no value), ``stages`` (of progressive training: size,
            rate and validation of each), ``normalization``, ``init`` and ``stopped_early`` (the last epoch), ``seen``
            (how ``seen`` was chosen: ``groups`` that were ``trained on``, others ``passed_over``; records without it
            took every further sample of the training part).
        images: digest of the table of per-image metrics beside the record; None without a table.
        checksum: digest of all text before it in the record's file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1, 2] = 2
    id: str
    cell: str
    spec: RunSpec
    recipe_name: str
    outcome: Outcome
    reason: str | None = None
    started: str = Field(description="UTC, ISO 8601")
    finished: str = Field(description="UTC, ISO 8601")
    seconds: float
    code: str
    environment: Environment
    fingerprint: str
    parameters: int
    gmacs: float | None
    loading: str
    epochs: list[Epoch]
    best_epoch: int | None
    test: dict[str, Score]
    seen: dict[str, Score] = {}
    timings: Timings
    evaluation: Timings
    peak_mib: float
    resumed: int = 0
    audit: list[Finding] = []
    choice: PrecisionChoice | None = None
    metrics: dict[str, MetricFacts] = {}
    pooled_terms: dict[str, int] = {}
    failure: Failure | None = None
    arithmetic: str | None = None
    load: Load | None = None
    peak_of: Literal["allocator", "growth", "process"] = "process"
    division: str = UNTUNED
    tuning: Tuning | None = None
    facts: dict[str, Any] = {}
    images: str | None = None
    checksum: str | None = None

    @property
    def budget(self) -> Protocol:
        """The protocol whose board it stands on: of a tuned run the one before tuning."""
        return self.spec.protocol if self.tuning is None else self.tuning.protocol

    @property
    def is_timed(self) -> bool:
        """Whether it had its device to itself, so that its times say what training costs."""
        return self.load is None or self.load.shared == 1

    @property
    def arithmetic_key(self) -> str:
        """Distinguishes kinds of arithmetic; for records without it, the device, instructions and threads."""
        where = self.environment
        return self.arithmetic or f"{where.device}, {where.instructions}, {where.threads} threads"
