"""`Record`: what one finished or failed run leaves in ``results/``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.core.choice import Choice
from bench.core.environment import Environment
from bench.core.finding import Finding
from bench.core.metric_facts import MetricFacts
from bench.core.spec import RunSpec
from bench.core.timings import Timings

Outcome = Literal["finished", "diverged", "oom"]


class Epoch(BaseModel):
    """One pass over the training samples: its resolution, learning rate at the end, and losses by term.

    Attributes:
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
        value: mean over the images that have something to say.
        images: how many those are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    images: int


class Record(BaseModel):
    """Everything about one run, under a published JSON schema.

    Attributes:
        format: raised when this shape changes.
        id, cell: of ``spec``, repeated for those who read without this package.
        recipe_name: the name under which the recipe was asked for, or its text.
        outcome, reason: how it ended, and why where it did not finish.
        code: hash over the source of ``bench`` and ``registry``.
        parameters, gmacs: of the model; multiply-adds of a forward pass of one pair at the evaluated size.
        best_epoch: the epoch whose weights were tested: the one of lowest validation loss.
        test: metrics on the test split, read once.
        timings: of training; ``evaluation`` the same for the validation and test passes.
        loading: tier by which samples came, ``resident``, ``streamed`` or ``live``, and ``and`` where stages differ.
        peak_mib: highest memory use in training and evaluation.
        resumed: times the run was taken up again from a checkpoint.
        audit: what the soundness audit found before training; empty for what has no recipe.
        metrics: what is known of each metric in ``test``, so that a page needs nobody's code.
        choice: how precision and memory format were chosen; None where they were asked for, or nothing is learnt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
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
    timings: Timings
    evaluation: Timings
    peak_mib: float
    resumed: int = 0
    audit: list[Finding] = []
    choice: Choice | None = None
    metrics: dict[str, MetricFacts] = {}
