"""`Standing`: where the rows of a board stand, by the test images of their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.metric_facts import MetricFacts
from bench.results.aligned import Aligned
from bench.results.board import Row
from bench.results.stats.best import best_chances
from bench.results.stats.interquartile import InterquartileMean
from bench.results.stats.ranking import Entry, rank


@dataclass(frozen=True)
class Standing:
    """A row's place on one metric.

    Attributes:
        tier: 1 for the leader and all that cannot be told from it, and so on down; None for a single seed.
        p: of no difference from the leader, corrected for all rows; None for a single seed.
        best: probability of having the best true figure; None for a single seed.
        interquartile: mean of the middle half of the seeds, with its interval; None below five seeds.
    """

    tier: int | None
    p: float | None
    best: float | None
    interquartile: InterquartileMean | None


def standings(
    results: Path, board: Sequence[Row], metrics: Mapping[str, MetricFacts]
) -> dict[str, list[Standing | None]]:
    """Where the rows of one board stand.

    Only rows that learn have a place: a baseline is a floor. A row whose records lack a metric, or per-image metrics
    altogether, has none on it; nor has a row with a seed whose figure is infinite.

    Args:
        results: folder of the records.
        board: rows of one protocol and data set.
        metrics: what is known of them, by key.

    Returns:
        By metric, in the order of the rows; None for a row without a place.

    Raises:
        BenchError: rows that were tested on the same data have no image in common.
    """
    rows = {str(place): row for place, row in enumerate(board) if row.learns and _has_images(results, row)}
    if not rows:
        return {metric: [None] * len(board) for metric in metrics}
    aligned = Aligned.of(results, [name for row in rows.values() for name in _files(row)])
    found = {metric: _on(aligned, rows, metric, facts) for metric, facts in metrics.items()}
    return {metric: [places.get(str(place)) for place in range(len(board))] for metric, places in found.items()}


def _on(aligned: Aligned, rows: Mapping[str, Row], metric: str, facts: MetricFacts) -> dict[str, Standing]:
    entries, figures = {}, {}
    for name, row in rows.items():
        try:
            entry = Entry(tuple(row.records), aligned.scored(_files(row), metric, facts))
            figures[name] = entry.figures
        except (LookupError, ValueError):
            continue
        entries[name] = entry
    places = rank(entries, aligned.grouping, facts.higher_is_better)
    chances = best_chances(entries, aligned.grouping, facts.higher_is_better)
    return {
        name: Standing(place.tier, place.p, chances[name], InterquartileMean.of(figures[name]))
        for name, place in places.items()
    }


def _files(row: Row) -> list[str]:
    return [name for name, _ in row.records.values()]


def _has_images(results: Path, row: Row) -> bool:
    return all((results / name).with_suffix(".images.csv").exists() for name in _files(row))
