"""`Explanation`: what explains the figures of a board, metric by metric, and what to run next; from the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.core.errors import BenchError
from bench.core.progress import Progress, no_progress
from bench.core.record.metric_facts import MetricFacts
from bench.results import store
from bench.results.board import Group, groups_of
from bench.results.board.overview import rows_where
from bench.results.board.row import Row
from bench.results.board.standings import Images
from bench.results.explain.explained import Explained
from bench.results.explain.grid import Grid
from bench.results.explain.next_cell import NextCell, next_cells
from bench.results.find import strength
from bench.results.metric_facts import facts_in, find_key, shown
from bench.results.missing_runs import further_run
from bench.results.row_names import stands_within
from bench.results.stats.components import Components

CELLS = 150
"""Of a board that are explained, those of most seeds: more take minutes."""

_PICTURED = 30
"""Cells whose per-image tables are read to see what test images do."""


@dataclass(frozen=True)
class Explanation:
    """One board.

    Attributes:
        board: its title.
        metrics: by key.
        facts: what is known of the metrics.
        next: the cells to run next.
        commands: that run each of them, so that it belongs to this board.
        notes: what a reader should know before believing it.
    """

    board: str
    metrics: Mapping[str, Explained]
    facts: Mapping[str, MetricFacts]
    next: Sequence[NextCell]
    commands: Sequence[str]
    notes: Sequence[str]


def explain(
    results: Path,
    metrics: Sequence[str] = (),
    within: str = "",
    where: Sequence[str] = (),
    progress: Progress = no_progress,
) -> list[Explanation]:
    """Explain every board that has something to explain.

    Args:
        results: folder of records.
        metrics: keys; empty for the headline metrics.
        within: part of a board's heading, to explain no other.
        where: conditions of rows to explain, see `bench.results.board.overview.where`.
        progress: called before every metric of a board: one takes a second or more.

    Raises:
        UnknownName: no such metric.
        BenchError: no board has two runs that learn.
    """
    records = store.read_all(results)
    known = facts_in(record for _, record in records)
    names = [find_key(name, known) for name in metrics] or shown(known, "headline")
    groups = [group for group in groups_of(records) if _fits(group, within)]
    found = [
        explain_group(results, group, names, where, _part(progress, place, len(groups)))
        for place, group in enumerate(groups)
    ]
    explained = [explanation for explanation in found if explanation.metrics]
    if not explained:
        board = f"no board {within!r}" if within else "no board"
        board += f" where {' and '.join(where)}" if where else ""
        raise BenchError(
            f"{board} has two runs to explain; run, for example, bench run --model unet --model wnet --seeds 2"
        )
    return explained


def explain_group(
    results: Path,
    group: Group,
    metrics: Sequence[str],
    where: Sequence[str] = (),
    progress: Progress = no_progress,
) -> Explanation:
    """The same of a board.

    Args:
        results: folder of its records.
        group: of records.
        metrics: keys.
        where: conditions of its rows.
        progress: called before every metric.
    """
    learning = [row for row in group.board if row.learns]
    fitting = [row for row in rows_where(group, where) if row.learns]
    rows, notes = _cells(fitting)
    if len(fitting) < len(learning):
        notes.append(f"{len(fitting)} of {len(learning)} cells count: {' and '.join(where)}")
    images = Images(results)
    explained = {}
    for done, name in enumerate(metrics):
        progress(name, done, len(metrics))
        cells = [(row.model, row.recipe, values) for row in rows if (values := row.values(name))]
        if sum(len(values) for _, _, values in cells) > 1:
            explained[name] = Explained.of(Grid(cells), _images(rows, name, group.metrics[name], images))
    notes += dict.fromkeys(note for found in explained.values() for note in found.notes)
    seeds = {(row.model, row.recipe): set(row.records) for row in rows}
    following = next_cells(explained, seeds) if explained else []
    commands = [further_run(rows, cell.model, cell.loss, cell.seed) for cell in following]
    return Explanation(group.title, explained, group.metrics, following, commands, notes)


def _part(progress: Progress, place: int, count: int) -> Progress:
    """The progress of one part of ``count`` like it."""
    return lambda what, done, total: progress(what, place * total + done, count * total)


def _fits(group: Group, within: str) -> bool:
    return any(stands_within(row, within) for row in group.board)


def _cells(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """One row for each model and loss, and what was left out."""
    chosen: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=strength, reverse=True):
        chosen.setdefault((row.model, row.recipe), row)
    notes = []
    if len(chosen) < len(rows):
        notes.append("of cells that differ in precision or memory format alone, the one with most seeds counts")
    if len(chosen) > CELLS:
        notes.append(f"{CELLS} cells of {len(chosen)} count, those of most seeds")
    if any(row.elsewhere for row in chosen.values()):
        notes.append("runs on other kinds of arithmetic do not count")
    return list(chosen.values())[:CELLS], notes


def _images(rows: Sequence[Row], metric: str, facts: MetricFacts, images: Images) -> tuple[float, float] | None:
    """Variance that test images bring to a cell's figure, mean over cells, and its degrees of freedom."""
    having = [row for row in rows if row.values(metric) and images.has(name for name, _ in row.records.values())]
    names = [[name for name, _ in row.records.values()] for row in having[:_PICTURED]]
    aligned = images.of([name for row in names for name in row], {metric: facts})
    if aligned is None:
        return None
    variances = []
    for row in names:
        with suppress(LookupError, ValueError):
            scored = aligned.scored(row, metric, facts)
            used = np.asarray(scored.defined.any(axis=0), dtype=np.bool_)
            part = scored.only(used)
            components = Components.of(part.contributions(part.defined), aligned.grouping.take(used))
            variances.append(float(components.images))
    return (sum(variances) / len(variances), aligned.grouping.freedom) if variances else None
