"""`EvaluationRecord`: scores of a recorded run on data that it was not trained on, beside baselines fitted to them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bench.core.environment import Environment
from bench.core.record.metric_facts import MetricFacts
from bench.core.record.run import Score

LEAKS = "LEAKS"
"""What a note begins with that says what of the test the run was trained on."""


class EvaluationRecord(BaseModel):
    """An evaluation of a run on another data set; no run itself, and in no leaderboard.

    Attributes:
        format: raised when this shape changes.
        run, cell, record: of the run: its id, its cell's hash, the name of its record's file.
        model, recipe_name, seed: of the run, for those who read without its record.
        trained_on: description of the run's own data.
        data: description of the data that it is scored on.
        size: side of the images, pixels.
        samples: test images.
        fitted_on: training images of ``data`` that the baselines were fitted to.
        test: the run's metrics; those that cannot be compared between depth encodings are left out.
        baselines: the same of each baseline.
        skill: by metric, 0 for the best of these baselines and 1 for perfection; None without a baseline.
        metrics: what is known of each metric.
        notes: what a reader should know, in sentences; ``LEAKS: ...`` where the run was trained on what the test shows.
        finished: UTC, ISO 8601.
        code: hash over the source of this package and of the run's own plug-ins.
        environment: where it was computed.
        images: digest of the table of per-image metrics beside it.
        checksum: digest of all text before it in the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    run: str
    cell: str
    record: str
    model: str
    recipe_name: str
    seed: int
    trained_on: dict[str, Any]
    data: dict[str, Any]
    size: int
    samples: int
    fitted_on: int
    test: dict[str, Score]
    baselines: dict[str, dict[str, Score]]
    skill: dict[str, float | None]
    metrics: dict[str, MetricFacts]
    notes: list[str] = []
    finished: str
    code: str
    environment: Environment
    images: str | None = None
    checksum: str | None = None

    @property
    def leaks(self) -> bool:
        """Whether the run was trained on something that the test shows, or may have been."""
        return any(note.startswith(LEAKS) for note in self.notes)
