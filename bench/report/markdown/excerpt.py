"""The leaderboard's excerpt in README.md, between two markers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.core.record import Record
from bench.report.legend import COMMAND, TIES, unranked
from bench.report.markdown import code, table
from bench.report.markdown.cells import heading, loss_cell, number, precision_cell, rate_cell, seeds_cell
from bench.report.markdown.markers import put_between
from bench.results.board import Group, Named, groups_of, rate
from bench.results.board.standings import Images, Standing, ranking, standings

MARKER = "leaderboard"
_MOST = 20
"""Rows up to which all are shown."""


def excerpt(records: Iterable[Named], folder: Path | None = None) -> str:
    """The first group of the leaderboard with its headline metrics; of many rows the best of each model, and the timed.

    Args:
        records: (file name, record) pairs.
        folder: folder of the per-image tables; None leaves ties out.
    """
    group = next(iter(groups_of(records)), None)
    if group is None or not group.board:
        return "(no records yet)\n"
    shown = [name for name, facts in group.metrics.items() if facts.headline]
    ranked = ranking(shown, group.metrics)
    ordered = standings(group.board, ranked, group.metrics[ranked], Images(folder))
    machine = _timed_on(group) or ordered[0].row.any
    kept = ordered if len(ordered) <= _MOST else _best_and_timed(ordered, group, machine.fingerprint)
    headings = [f"{facts.head} {heading(facts)}" for facts in (group.metrics[name] for name in shown)]
    header = ["tie", "model", "loss", "precision", "seeds", *headings, "parameters", "images/s"]
    body = [
        [
            "" if not row.learns else "·" if standing.place.tie is None else str(standing.place.tie),
            code(row.model),
            loss_cell(row),
            precision_cell(row.any),
            seeds_cell(row),
            *(number(row, name, group, bold=standing.leads and name == ranked) for name in shown),
            f"{row.any.parameters:,}",
            rate_cell(group.on(row, machine.fingerprint)),
        ]
        for standing in kept
        for row in [standing.row]
    ]
    facts = group.metrics[ranked]
    about = (
        f"*{group.title}; ranked by the skill of {facts.head} {facts.column}, networks without it after those with it; "
        f"images/s on {machine.environment.label}"
    )
    if len(kept) < len(ordered):
        about += f"; the best row of each model and those that were timed, of {len(ordered)} in all"
    below = [TIES.replace(COMMAND, code(COMMAND)), unranked(standing.unranked for standing in kept)]
    if any(line[-1] == "–" for line in body):
        below.append("– for images/s: every run shared its device with others, or was on another machine.")
    return f"{about}*\n\n{table(header, body)}\n*{' '.join(filter(None, below))}*\n"


def _best_and_timed(ordered: Sequence[Standing], group: Group, machine: str) -> list[Standing]:
    """The first row of every model, and those whose images per second are known on that machine."""
    models: set[str] = set()
    kept = []
    for standing in ordered:
        row = standing.row
        if row.model not in models or rate(group.on(row, machine)) is not None:
            kept.append(standing)
        models.add(row.model)
    return kept


def _timed_on(group: Group) -> Record | None:
    """A record of the machine on which most models were timed; None if none was."""
    machines = group.machines().values()
    rows = max(machines, key=lambda rows: sum(row.learns for row, _ in rows), default=[])
    return next((records[-1] for _, records in rows if records), None)


def put(text: str, records: Iterable[Named], folder: Path | None = None) -> str:
    """A page with its excerpt replaced; a page without the two markers is returned unchanged.

    The page's line endings are kept.
    """
    changed = put_between(text, MARKER, excerpt(records, folder))
    return text if changed is None else changed
