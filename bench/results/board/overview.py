"""The board as plain data: a mapping per row, to be filtered, sorted, and written as CSV or JSON."""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench.core.errors import BenchError
from bench.metrics.summary import skill
from bench.results.board import Group, disturbed, rate
from bench.results.board.row import Row
from bench.results.board.standings import Images, ranking, standings
from bench.results.row_names import named_arithmetic

Line = Mapping[str, Any]

KEYS = (
    "board", "model", "loss", "precision", "division", "machine", "elsewhere", "ranked_by", "tie", "best", "unranked",
    "seeds", "unfinished",
)  # fmt: skip
ELSEWHERE = "on another kind of arithmetic"
"""Why a row beneath another of the same cell is not ranked."""
COSTS = ("parameters", "gmacs", "images_per_second", "disturbed", "peak_mib")

_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_PATTERNS = ("!=", "=")
_CONDITION = re.compile(rf"(.*?)({'|'.join((*_ORDERS, *_PATTERNS))})(.*)", re.DOTALL)
"""A column, the first sign, and what it is compared with; signs of two letters before those they begin with."""


def overview(groups: Iterable[Group], images: Images, by: str = "") -> Iterator[Line]:
    """Every row of every group, those on other kinds of arithmetic too.

    Args:
        groups: of records.
        images: their per-image metrics.
        by: the metric by which ties are judged; the first that ranks, if none is named.

    Returns:
        By row: `KEYS`, where ``elsewhere`` names the kind of arithmetic if it is not that of the cell's row,
        ``ranked_by`` is the metric of ``tie`` and ``best``, and ``unranked`` says why there is no tie; by metric
        ``<metric>``, ``<metric>/sd`` between seeds and ``<metric>/skill``; `COSTS` on the machine of its first record.
        What is not known is None.
    """
    for group in groups:
        present = [name for name in group.metrics if any(row.mean(name) is not None for row in group.board)]
        if not present:
            continue
        ranked = by if by in present else ranking(present, group.metrics)
        for standing in standings(group.board, ranked, group.metrics[ranked], images):
            ties = {"tie": standing.place.tie, "best": standing.best, "unranked": standing.unranked or None}
            yield _line(group, standing.row, present) | {"ranked_by": ranked} | ties
            for other in standing.row.elsewhere if not standing.row.pooled else ():
                apart = {"elsewhere": named_arithmetic(other.any), "ranked_by": ranked, "unranked": ELSEWHERE}
                yield _line(group, other, present) | apart


def _line(group: Group, row: Row, metrics: Sequence[str]) -> dict[str, Any]:
    record = row.any
    here = group.on(row, record.fingerprint) or row.on(record.fingerprint)
    line: dict[str, Any] = dict.fromkeys(KEYS)
    line |= {
        "board": group.title,
        "model": row.model,
        "loss": row.recipe,
        "precision": record.spec.precision_label,
        "division": record.division,
        "machine": record.environment.label,
        "seeds": len(row.records),
        "unfinished": len(row.unfinished),
    }
    for name in metrics:
        mean = row.mean(name)
        gained = skill(mean, group.baseline_means(name), group.metrics[name]) if row.learns else None
        line |= {
            name: mean,
            f"{name}/sd": row.spread(name),
            f"{name}/skill": gained,
        }
    costs = (record.parameters, record.gmacs, rate(here), disturbed(here), record.peak_mib)
    return line | dict(zip(COSTS, costs, strict=True))


def rows_where(group: Group, conditions: Sequence[str]) -> list[Row]:
    """The rows of a group whose lines fit all conditions, see `where`; ``tie`` and ``best`` are no columns here.

    Raises:
        BenchError: as of `where`.
    """
    lines = [_line(group, row, list(group.metrics)) for row in group.board]
    kept = {id(line) for line in where(lines, conditions)}
    return [row for row, line in zip(group.board, lines, strict=True) if id(line) in kept]


def where(lines: Iterable[Line], conditions: Sequence[str]) -> list[Line]:
    """The lines that fit all conditions.

    Args:
        lines: of `overview`.
        conditions: ``column=pattern`` or ``column!=pattern`` with shell wildcards, or a column, one of ``>``, ``<``,
            ``>=``, ``<=`` and a number.

    Raises:
        BenchError: a condition that cannot be read, or a column that no line has.
    """
    kept = list(lines)
    for condition in conditions:
        found = _CONDITION.match(condition)
        if found is None:
            raise BenchError(
                f"cannot read {condition!r}: write column=pattern, column!=pattern, or >, <, >= or <= and a number"
            )
        column, sign, wanted = (part.strip() for part in found.groups())
        known(kept, column)
        if sign in _PATTERNS:
            fits = sign == "="
            kept = [line for line in kept if fnmatch.fnmatchcase(str(line.get(column)), _pattern(wanted)) == fits]
            continue
        try:
            bound = float(wanted)
        except ValueError:
            raise BenchError(f"{condition!r} compares with {wanted!r}, which is no number") from None
        kept = [line for line in kept if _beyond(line.get(column), bound, sign)]
    return kept


def ordered(lines: Sequence[Line], column: str, higher_first: bool) -> list[Line]:
    """The lines sorted by a column; those that lack it last.

    Raises:
        BenchError: no line has that column.
    """
    known(lines, column)
    has = [line for line in lines if line.get(column) is not None]
    return sorted(has, key=lambda line: line[column], reverse=higher_first) + [
        line for line in lines if line.get(column) is None
    ]


def known(lines: Sequence[Line], column: str) -> None:
    """Refuse a column that no line has.

    Raises:
        BenchError: no such column; lists the columns.
    """
    columns = dict.fromkeys(name for line in lines for name in line)
    if lines and column not in columns:
        raise BenchError(f"unknown column {column!r}; choose one of: {', '.join(c for c in columns if '/' not in c)}")


def _pattern(text: str) -> str:
    """Brackets are parameters of a key, no sets of characters."""
    return text.replace("[", "[[]")


def _beyond(value: Any, bound: float, sign: str) -> bool:
    return isinstance(value, int | float) and _ORDERS[sign](value, bound)
