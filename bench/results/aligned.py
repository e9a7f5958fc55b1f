"""`Aligned`: per-image metrics of several records on the test images that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.core.errors import BadData, BenchError
from bench.core.record.metric_facts import MetricFacts
from bench.results import store
from bench.results.stats.grouping import Grouping
from bench.results.stats.scored import Scored
from bench.results.stats.student import Values

Table = Mapping[str, Values]
"""Per-image values by metric, (images,) each."""

Reader = Callable[[Path], Mapping[str, Sequence[float]]]
"""Reads the table beside a record; empty where the record has no table."""


@dataclass(frozen=True)
class Aligned:
    """Tables whose rows are the same images in the same order.

    Attributes:
        tables: by the record's file name.
        grouping: of the images.
        left_out: images that not all records have.
    """

    tables: Mapping[str, Table]
    grouping: Grouping
    left_out: int

    @classmethod
    def of(cls, results: Path, names: Sequence[str], read: Reader = store.read_images) -> Aligned:
        """Read the tables beside records.

        Args:
            results: the folder.
            names: the records' file names, at least one.
            read: the table beside a record, by its path; for those who ask for the same tables again.

        Raises:
            BadData: a record without a table.
            BenchError: no image in common.
        """
        raw = {name: _read(results / name, read) for name in dict.fromkeys(names)}
        samples = [table["sample"] for table in raw.values()]
        common = sorted(set(samples[0]).intersection(*samples[1:]))
        if not common:
            raise BenchError(f"{', '.join(raw)} have no test image in common")
        tables = {name: _select(table, common) for name, table in raw.items()}
        first = next(iter(tables.values()))
        grouping = Grouping(first["background"].astype(np.int64), first["object"].astype(np.int64))
        return cls(tables, grouping, len(set().union(*samples)) - len(common))

    def scored(self, names: Sequence[str], metric: str, facts: MetricFacts) -> Scored:
        """One metric of some records, (records, images).

        Args:
            names: of the records.
            metric: its key.
            facts: what is known of it.

        Raises:
            KeyError: a record lacks it, or none has a value.
        """
        tables = [self.tables[name] for name in names]
        values = np.stack([table[metric] for table in tables])
        if np.isnan(values).all():
            raise KeyError(metric)
        weights = None if facts.weight is None else np.stack([table[facts.weight] for table in tables])
        return Scored(values, weights, facts.power)


def _read(path: Path, read: Reader) -> Mapping[str, Sequence[float]]:
    table = read(path)
    if not table:
        raise BadData([(path.name, "no per-image metrics beside it")], "a comparison needs the .images.csv files too")
    if lacking := store.lacking_ids(table):
        raise BadData([(path.with_suffix(store.IMAGES).name, lacking)])
    return table


def _select(table: Mapping[str, Sequence[float]], samples: Sequence[float]) -> dict[str, Values]:
    place = {sample: row for row, sample in enumerate(table["sample"])}
    order = [place[sample] for sample in samples]
    return {name: np.asarray(column, dtype=np.float64)[order] for name, column in table.items()}
