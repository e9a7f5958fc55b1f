"""The ranking metrics of several rows by slices of the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import BenchError
from bench.results.board import Group
from bench.results.slices.slice_score import SliceScore
from bench.results.slices.slices import slices_of

MOST = 8
"""Number of rows shown beside each other."""


@dataclass(frozen=True)
class SliceTable:
    """A metric on every slice.

    Attributes:
        metric: its key.
        names: of the rows, in order.
        lines: attribute, slice, images, and each row's score, or None.
    """

    metric: str
    names: Sequence[str]
    lines: Sequence[tuple[str, str, int, Sequence[SliceScore | None]]]


def slice_tables(group: Group, metrics: Sequence[str], results: Path) -> list[SliceTable]:
    """A table per metric; empty where no record of the group has facts of its test images.

    Args:
        group: whose rows.
        metrics: keys.
        results: folder of the records.
    """
    rows = [row for row in group.board if row.learns][:MOST]
    found = []
    for row in rows:
        try:
            found.append((row, slices_of(results, group, [row], metrics)))
        except BenchError:  # no facts of the images, or no tables beside the records
            continue
    tables = []
    for metric in metrics:
        known = [(row, slices) for row, slices in found if metric in slices.metrics]
        if not known:
            continue
        parts = [(slices.whole, *slices.parts) for _, slices in known]
        lines = [
            (same[0].slice.attribute, same[0].slice.label, same[0].slice.count, [part.a.get(metric) for part in same])
            for same in zip(*parts, strict=False)
        ]
        tables.append(SliceTable(metric, [f"{row.model} · {row.recipe}" for row, _ in known], lines))
    return tables
