"""Writing records one atomic step at a time, and reading them all back."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from bench.core.errors import BadData, BenchError
from bench.core.files import create
from bench.core.record import Record

SCHEMA = "schema.json"


def slug(record: Record) -> str:
    """The stem of a record's file: model, recipe, protocol, seed, id and time, in letters that any system takes."""
    spec = record.spec
    stamp = re.sub(r"[^0-9]", "", record.started)[:14]
    parts = [spec.model, record.recipe_name, spec.protocol.name, str(spec.data.get("kind", "data")), f"s{spec.seed}"]
    name = "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-")[:40] for part in parts)
    return f"{name}_{record.id}_{stamp}"


def write(folder: Path, record: Record, per_image: Mapping[str, Sequence[float | int]]) -> Path:
    """Write a record and, beside it, its per-image metrics as CSV; both appear whole or not at all.

    Two runs that finish at once both keep theirs: a name that is taken gets a number.

    Raises:
        BenchError: the folder cannot be written to (full, read-only).
    """
    stem = slug(record)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(1000):
            path = folder / f"{stem}{f'-{attempt}' if attempt else ''}.json"
            # The table first: a record that can be read has its images, whenever the power fails.
            if per_image and not create(path.with_suffix(".images.csv"), _csv(per_image)):
                continue
            if create(path, record.model_dump_json(indent=1) + "\n"):
                return path
    except OSError as error:
        raise BenchError(f"cannot write the record to {folder}: {error.strerror}") from error
    raise BenchError(f"a thousand records called {stem} lie in {folder} already")


def read_all(folder: Path) -> list[tuple[str, Record]]:
    """All records of a folder as (file name, record), by file name.

    Raises:
        BadData: files that are no records, every one named.
    """
    records, bad = [], []
    for path in sorted(folder.glob("*.json")):
        if path.name == SCHEMA:
            continue
        try:
            records.append((path.name, Record.model_validate_json(path.read_text(encoding="utf-8"))))
        except (ValidationError, ValueError) as error:
            bad.append((path.name, str(error).splitlines()[0]))
    if bad:
        raise BadData(bad, f"these are no records of this version; move them out of {folder}")
    return records


def read_images(path: Path) -> dict[str, list[float]]:
    """The per-image metrics beside a record, by column; empty where there are none."""
    table = path.with_suffix(".images.csv")
    if not table.exists():
        return {}
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        name: [float(row[name]) if row[name] else float("nan") for row in rows] for name in (rows[0] if rows else {})
    }


def schema() -> str:
    """The published JSON schema of a record, as text."""
    return json.dumps(Record.model_json_schema(), indent=1, sort_keys=True) + "\n"


def _csv(columns: Mapping[str, Sequence[float | int]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow("" if value != value else value if isinstance(value, int) else f"{value:.5g}" for value in row)
    return out.getvalue()
