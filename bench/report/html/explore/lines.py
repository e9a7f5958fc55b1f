"""The report's data of each row: scores, costs, learning curves, blocks, distributions over test images."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import BadData
from bench.core.record import Record
from bench.core.record.timings import HOST_BOUND
from bench.metrics.summary import skill
from bench.report.blocks import BLOCKS, block_ms, of_launches
from bench.results import store
from bench.results.board import Group, disturbed, rate, timed
from bench.results.board.row import Row
from bench.results.board.standings import Images, Standing, ranking, standings

QUANTILES = 41
"""Number of quantiles that describe a distribution over test images."""

MOST = 100
"""Number of a board's best rows whose distributions are drawn; reading more per-image tables would take long."""

Line = dict[str, Any]
"""A row of a board as JSON."""


def lines_of(groups: Sequence[Group], images: Images, folder: Path) -> list[Line]:
    """Every row of every group, by board and in the order of its ranking."""
    lines: list[Line] = []
    for index, group in enumerate(groups):
        present = [name for name in group.metrics if any(row.mean(name) is not None for row in group.board)]
        if not present:
            continue
        places = {
            ranked: {
                id(standing.row): (place, standing)
                for place, standing in enumerate(standings(group.board, ranked, group.metrics[ranked], images))
            }
            for ranked in rankings(group, present)
        }
        headlines = [name for name in present if group.metrics[name].headline]
        for index_in_board, row in enumerate(_best_first(group, places)):
            drawn = headlines if index_in_board < MOST else ()
            line = _line(group, row, present, folder, drawn)
            line["board"] = index
            line["places"] = {
                name: {"order": order, "tie": standing.place.tie, "p": standing.place.p, "best": standing.best}
                for name, by_row in places.items()
                for order, standing in [by_row[id(row)]]
            }
            lines.append(line)
            lines += [
                _line(group, other, present, folder, ()) | {"board": index, "places": {}}
                for other in row.elsewhere
                if row.learns  # what learns nothing gives the same everywhere
            ]
    return lines


def _best_first(group: Group, places: Mapping[str, Mapping[int, tuple[int, Standing]]]) -> list[Row]:
    """The rows, ordered by their best place in any ranking."""
    last = len(group.board)
    return sorted(group.board, key=lambda row: min((by[id(row)][0] for by in places.values()), default=last))


def rankings(group: Group, present: Sequence[str]) -> list[str]:
    """The metrics by which the tables of a group are ranked."""
    tables = [[name for name in names if name in present] for names in group.tables.values()]
    return [ranking(names, group.metrics) for names in tables if names]


def _line(group: Group, row: Row, metrics: Sequence[str], folder: Path, drawn: Collection[str]) -> Line:
    record = row.any
    here = group.on(row, record.fingerprint) or [record for _, record in row.records.values()]
    count = timed(here)
    scores = {}
    for name in metrics:
        values = row.values(name)
        if values:
            mean = statistics.fmean(values)
            gained = skill(mean, group.baseline_means(name), group.metrics[name]) if row.learns else None
            scores[name] = {"mean": mean, "sd": row.spread(name), "skill": gained, "values": values}
    return {
        "model": row.model,
        "loss": row.recipe if row.learns else "(learns nothing)",
        "recipe": record.spec.recipe,
        "precision": record.spec.precision_label,
        "machine": record.environment.label,
        "learns": row.learns,
        "seeds": len(row.records),
        "unfinished": len(row.unfinished),
        "scores": scores,
        "parameters": record.parameters,
        "gmacs": record.gmacs,
        "rate": rate(here),
        "disturbed": disturbed(count),
        "step_ms": _median(record.timings.step_ms for record in count),
        "peak_mib": record.peak_mib,
        "blocks": {name: ms for name in BLOCKS if (ms := _median(block_ms(r, name) for r in count)) is not None},
        "blocks_note": HOST_BOUND if any(map(of_launches, count)) else "",
        "curve": _curve(record),
        "spread": _spread(folder, row, drawn) if drawn else {},
        "ids": [record.id for _, record in row.records.values()],
    }


def _curve(record: Record) -> dict[str, list[float | None]]:
    """Validation metrics and losses by epoch, of the first seed."""
    names = dict.fromkeys(name for epoch in record.epochs for name in epoch.val_metrics)
    curve: dict[str, list[float | None]] = {
        name: [_finite(epoch.val_metrics.get(name)) for epoch in record.epochs] for name in names
    }
    curve["validation loss"] = [_finite(epoch.val_loss.get("total")) for epoch in record.epochs]
    curve["training loss"] = [_finite(epoch.train_loss.get("total")) for epoch in record.epochs]
    return {name: values for name, values in curve.items() if any(value is not None for value in values)}


def _spread(folder: Path, row: Row, metrics: Collection[str]) -> dict[str, list[float]]:
    """Quantiles over the test images of all seeds together, by metric."""
    tables = []
    for name, _ in row.records.values():
        try:
            tables.append(store.read_images(folder / name, only=metrics))
        except BadData:
            continue
    found = {}
    for metric in metrics:
        values = np.array([value for table in tables for value in table.get(metric, ())], dtype=np.float64)
        values = values[np.isfinite(values)]
        if len(values):
            found[metric] = [float(f"{value:.4g}") for value in np.quantile(values, np.linspace(0, 1, QUANTILES))]
    return found


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
