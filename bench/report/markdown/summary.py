"""The first lines of a leaderboard's group: which row is best, whether that is certain, and what it costs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from bench.core.record import Record
from bench.report.markdown.cells import median, percentage, plain_number, rate_cell, row_label
from bench.results.board import Group
from bench.results.board.row import Row
from bench.results.board.standings import Standing

_WIDTH = 100
"""Columns of a line: a terminal shows the page's source without wrapping it."""
_SHOWN = 3
"""Rows of a tie group that are named."""


def summary(group: Group, ordered: Mapping[str, Sequence[Standing]], few: Sequence[str] = ()) -> str:
    """A list with an entry per headline metric that ranks a table, and an entry per machine for the costs.

    Args:
        group: of the leaderboard.
        ordered: by metric that ranks a table, its rows in order.
        few: what the test images show little of, a sentence each.
    """
    headlines = {name: rows for name, rows in ordered.items() if group.metrics[name].headline} or dict(
        list(ordered.items())[:1]
    )
    entries = [_best(group, name, rows) for name, rows in headlines.items()]
    leaders = _leaders(headlines)
    entries += [*_costs(group, leaders), *(f"**Test images**: {sentence}" for sentence in few)]
    return "".join(f"{_wrapped(entry)}\n" for entry in entries)


def _wrapped(entry: str) -> str:
    return textwrap.fill(entry, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _best(group: Group, metric: str, ordered: Sequence[Standing]) -> str:
    """Which row is best in a metric, and how certain that is."""
    facts = group.metrics[metric]
    title = f"**{facts.head} {facts.column}**" if facts.head else f"**{facts.column}**"
    learning = [standing for standing in ordered if standing.row.learns and standing.value is not None]
    if not learning:
        return f"{title}: no network has a score yet."
    several = [standing for standing in learning if len(standing.row.values(metric)) > 1]
    if not several:
        return f"{title}: {_scored(learning[0])} is the highest of single seeds, which are not ranked: run more seeds."
    ranked = [standing for standing in several if standing.place.tie is not None]
    leading = [standing for standing in ranked if standing.leads]
    first = (leading or several)[0]
    tied, worse = leading[1:], [standing for standing in ranked if not standing.leads]
    parts = [f"{title}: {_scored(first)} leads{_chance(first)}"]
    if tied:
        names = [*map(_scored, tied[:_SHOWN]), *([f"{len(tied) - _SHOWN} more"] if len(tied) > _SHOWN else [])]
        listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        parts.append(f"{listed} {'were' if len(tied) > 1 else 'was'} not shown to be worse")
    elif worse:
        others = "every other row" if len(ranked) == len(several) else "every other ranked row"
        parts.append(f"{others} of several seeds is worse, the first of them {_scored(worse[0])}")
    elif len(several) > 1:
        reason = next(standing.unranked for standing in several if standing.unranked)
        other = "no other row" if ranked else "no row"
        parts.append(f"it is not known whether that is luck: {other} of several seeds is ranked ({reason})")
    sign = 1 if facts.higher_is_better else -1
    above = [s for s in learning if s.unranked and sign * ((s.value or 0) - (first.value or 0)) > 0]
    if above:
        parts.append(f"{_scored(above[0])} scored better but is not ranked: {above[0].unranked}")
    return f"{'; '.join(parts)}."


def _scored(standing: Standing) -> str:
    return f"{row_label(standing.row)} ({plain_number(standing.value or 0.0)})"


def _chance(standing: Standing) -> str:
    return "" if standing.best is None else f" (best with a probability of {percentage(standing.best)})"


def _leaders(ordered: Mapping[str, Sequence[Standing]]) -> list[Row]:
    """The rows that lead in some metric; where none is ranked, the first of each."""
    found: dict[int, Row] = {}
    for standings in ordered.values():
        learning = [standing for standing in standings if standing.row.learns]
        for standing in [s for s in learning if s.leads][:_SHOWN] or learning[:1]:
            found[id(standing.row)] = standing.row
    return list(found.values())


def _costs(group: Group, leaders: Sequence[Row]) -> Iterator[str]:
    """What the leading rows cost, an entry per machine."""
    wanted = {id(row) for row in leaders}
    for members in group.machines().values():
        costs = [_cost(row, records) for row, records in members if id(row) in wanted and rate_cell(records) != "–"]
        if costs:
            yield f"**Cost** on {members[0][1][0].environment.label}: {'; '.join(costs)}."
    beside = [row_label(row) for row in leaders if not any(record.is_timed for _, record in row.records.values())]
    if beside:
        more = f" and {len(beside) - _SHOWN} more" if len(beside) > _SHOWN else ""
        yield f"**Cost** not known of {', '.join(beside[:_SHOWN])}{more}: their runs shared a device with others."


def _cost(row: Row, records: Sequence[Record]) -> str:
    peak = median([record.peak_mib for record in records], digits=0)
    return f"{row_label(row)} trains {rate_cell(records)} images/s, peak {peak} MiB"
