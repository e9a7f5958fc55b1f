"""One training, two divisions: a run whose chosen value is the protocol's own is the untuned run, not made again."""

from __future__ import annotations

from pathlib import Path

from bench.core.record import UNTUNED, Record, Tuning
from bench.results import store
from bench.run.found import Done


def adopt(results: Path, record: Record, path: Path, tuning: Tuning | None) -> Done:
    """Record a finished run in another division too, with its per-image metrics.

    Args:
        results: folder of the records.
        record, path: of the run as it was made.
        tuning: how the other division chose its value; None for the untuned one.

    Raises:
        BadData: its per-image table is damaged.
        BenchError: the record cannot be written.
    """
    changes = {
        "division": UNTUNED if tuning is None else tuning.division,
        "tuning": tuning,
        "facts": {**record.facts, "same_run": path.name},
    }
    columns = {name: _whole(values) for name, values in store.read_images(path).items()}
    written = store.write(results, record.model_copy(update=changes), columns)
    return store.read(written), written


def _whole(values: list[float]) -> list[float | int]:
    """Ids as they were written: a column of whole numbers is one of integers."""
    if all(value == value and value.is_integer() for value in values):
        return [int(value) for value in values]
    return [*values]
