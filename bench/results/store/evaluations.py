"""Evaluations of runs on other data, in a folder of their own below the records: written once, read back whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.core import files
from bench.core.errors import BadData
from bench.core.record.evaluation import EvaluationRecord
from bench.results import store
from bench.results.store.reason import reason

FOLDER = "evaluations"
"""Below the folder of records."""


def write(results: Path, evaluation: EvaluationRecord, per_image: Mapping[str, Sequence[float | int]]) -> Path:
    """Write an evaluation, its per-image metrics beside it, and the schema of all; no file is replaced.

    Raises:
        BenchError: the folder cannot be written to.
    """
    stamp = re.sub(r"[^0-9]", "", evaluation.finished)[:14]
    kind = str(evaluation.data.get("kind", "data"))
    parts = [evaluation.model, evaluation.recipe_name, "on", kind, f"s{evaluation.seed}"]
    name = "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-")[:40] for part in parts)
    path = store.write_sealed(results / FOLDER, f"{name}_{evaluation.run}_{stamp}", evaluation, per_image)
    schema = results / FOLDER / store.SCHEMA
    text = json.dumps(EvaluationRecord.model_json_schema(), indent=1, sort_keys=True) + "\n"
    if not schema.exists() or schema.read_text(encoding="utf-8") != text:
        files.replace(schema, text)
    return path


def read(path: Path) -> EvaluationRecord:
    """One evaluation.

    Raises:
        BadData: it is none, or not as it was written.
    """
    try:
        text = path.read_text(encoding="utf-8")
        store.check_seal(text)
        return EvaluationRecord.model_validate_json(text)
    except (OSError, ValueError) as error:
        raise BadData([(path.name, reason(error))]) from error


def read_images(path: Path) -> dict[str, list[float]]:
    """The per-image metrics beside an evaluation, by column.

    Raises:
        BadData: the table is not as it was written.
    """
    return store.read_table(path.with_suffix(store.IMAGES), read(path).images)
