"""Evaluations of runs on other data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.core.record.evaluation import EvaluationRecord
from bench.results import store
from bench.results.store.subfolder import Subfolder

_SUBFOLDER = Subfolder("evaluations", EvaluationRecord)
FOLDER, read = _SUBFOLDER.folder, _SUBFOLDER.read


def write(results: Path, evaluation: EvaluationRecord, per_image: Mapping[str, Sequence[float | int]]) -> Path:
    """Write an evaluation and its per-image metrics, see `Subfolder.write`."""
    kind = str(evaluation.data.get("kind", "data"))
    words = [evaluation.model, evaluation.recipe_name, "on", kind, f"s{evaluation.seed}"]
    return _SUBFOLDER.write(results, store.stem(words, evaluation.run, evaluation.finished), evaluation, per_image)


def read_images(path: Path) -> dict[str, list[float]]:
    """The per-image metrics beside an evaluation, by column.

    Raises:
        BadData: the table is not as it was written.
    """
    return store.read_table(path.with_suffix(store.IMAGES), read(path).images)
