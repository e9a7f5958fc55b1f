"""Tables of per-image metrics as CSV: how they are written and read back, by column."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bench.core.errors import BadData
from bench.results.store.seal import digest

IMAGES = ".images.csv"
"""Takes the place of a record's ``.json`` in the name of its table."""

IDS = ("sample", "background", "object")
"""Columns that every table has: which image a row is of, and what it shows."""


def as_csv(columns: Mapping[str, Sequence[float | int]]) -> str:
    """Columns of equal length as CSV: whole numbers as they are, others to five digits, NaN as nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow("" if value != value else value if isinstance(value, int) else f"{value:.5g}" for value in row)
    return out.getvalue()


def read_table(table: Path, expected: str | None, only: Collection[str] = ()) -> dict[str, list[float]]:
    """A table of per-image metrics by column.

    Args:
        table: its file.
        expected: the digest in its record, if any.
        only: columns that are wanted, all if none is named.

    Raises:
        BadData: the table is not as it was written, or holds words.
    """
    try:
        return _columns(_text(table, expected), only)
    except (OSError, ValueError) as error:
        raise _damaged(table, error) from error


def check_table(table: Path, expected: str) -> None:
    """Refuse a table that has not that digest; its numbers are not read.

    Raises:
        BadData: the table is not as it was written.
    """
    try:
        _text(table, expected)
    except (OSError, ValueError) as error:
        raise _damaged(table, error) from error


def lacking_ids(names: Collection[str]) -> str:
    """What a table of those columns lacks of `IDS`, in words; empty where it has them all."""
    lacking = [name for name in IDS if name not in names]
    return f"it has no column {' and no '.join(lacking)}" if lacking else ""


def image_columns(path: Path) -> list[str]:
    """The columns of the table beside a record, none where there is no table; its content is not read."""
    try:
        with path.with_suffix(IMAGES).open(encoding="utf-8") as file:
            return next(csv.reader([file.readline()]), [])
    except (OSError, UnicodeDecodeError):
        return []


def _text(table: Path, expected: str | None) -> str:
    text = table.read_text(encoding="utf-8")
    if expected is not None and digest(text) != expected:
        raise ValueError("its checksum differs from that in the record")
    return text


def _damaged(table: Path, error: Exception) -> BadData:
    return BadData([(table.name, str(error))], f"restore it, or move it and its record out of {table.parent}")


def _columns(text: str, only: Collection[str]) -> dict[str, list[float]]:
    """A table of numbers by column; only the heading, which may be quoted, needs what reads any CSV."""
    head, _, body = text.partition("\n")
    names = next(csv.reader([head]), [])
    lines = body.splitlines()
    if not lines:
        return {}
    if any(line.count(",") != len(names) - 1 for line in lines):
        raise ValueError(f"a line that has not {len(names)} columns")
    cells = ",".join(lines).split(",")
    return {
        name: [float(cell or "nan") for cell in cells[place :: len(names)]]
        for place, name in enumerate(names)
        if not only or name in only
    }
