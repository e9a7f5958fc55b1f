"""`TrialRecord`: what a training scored that was made to choose a value."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench.core.environment import Environment
from bench.core.record.run import Epoch, Failure, Outcome, Score
from bench.core.spec import RunSpec


class TrialRecord(BaseModel):
    """A training that was made to choose a value: no run, and in no leaderboard; it never sees the test split.

    Attributes:
        format: raised when this shape changes.
        id: of ``spec``.
        spec: with the value that was tried, and a seed that no run has.
        recipe_name: the name under which the recipe was asked for, or its text.
        parameter, value: what was tried; "" and 0 for a baseline that learns nothing.
        epochs_done: fewer than the protocol's where it was stopped to be compared with others; it may go on.
        outcome, reason, failure: as in a run's record.
        validation: metrics on the validation split, of the weights that a run would test, or of the last epoch done.
        epochs: its history.
        started, finished: UTC, ISO 8601.
        seconds: since it was last taken up.
        code, arithmetic: as in a run's record.
        environment: where it was computed.
        images: None; runs keep values per image.
        checksum: digest of all text before it in the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    id: str
    spec: RunSpec
    recipe_name: str
    parameter: str
    value: float
    epochs_done: int
    outcome: Outcome
    reason: str | None = None
    failure: Failure | None = None
    validation: dict[str, Score]
    epochs: list[Epoch]
    started: str
    finished: str
    seconds: float
    code: str
    arithmetic: str | None
    environment: Environment
    images: str | None = None
    checksum: str | None = None
