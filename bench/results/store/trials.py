"""Trials of tuning, in a folder of their own below the records: written once, read back whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bench.core import files
from bench.core.errors import BadData
from bench.core.record import TrialRecord
from bench.results import store
from bench.results.store.reason import reason

FOLDER = "trials"
"""Below the folder of records."""


def write(results: Path, trial: TrialRecord) -> Path:
    """Write a trial, and the schema of all; nothing there is replaced.

    Raises:
        BenchError: the folder cannot be written to.
    """
    stamp = re.sub(r"[^0-9]", "", trial.started)[:14]
    tried = f"{trial.parameter}-{trial.value:g}" if trial.parameter else "baseline"
    parts = [trial.spec.model, trial.recipe_name, tried, f"e{trial.epochs_done}"]
    name = "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-")[:40] for part in parts)
    path = store.write_sealed(results / FOLDER, f"{name}_{trial.id}_{stamp}", trial, {})
    schema = results / FOLDER / store.SCHEMA
    text = json.dumps(TrialRecord.model_json_schema(), indent=1, sort_keys=True) + "\n"
    if not schema.exists() or schema.read_text(encoding="utf-8") != text:
        files.replace(schema, text)
    return path


def read(path: Path) -> TrialRecord:
    """One trial.

    Raises:
        BadData: it is none, or not as it was written.
    """
    try:
        text = path.read_text(encoding="utf-8")
        store.check_seal(text)
        return TrialRecord.model_validate_json(text)
    except (OSError, ValueError) as error:
        raise BadData([(path.name, reason(error))]) from error


def read_all(results: Path) -> Iterator[TrialRecord]:
    """All trials that can be read, the earliest first."""
    paths = [path for path in (results / FOLDER).glob("*.json") if path.name != store.SCHEMA]
    found = []
    for path in paths:
        with suppress(BadData):
            found.append(read(path))
    yield from sorted(found, key=lambda trial: (trial.finished, trial.id))
