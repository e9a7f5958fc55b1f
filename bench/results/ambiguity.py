"""The error for names that fit several cells: what tells these apart, how to say it, and a few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.core.errors import BenchError
from bench.core.record import UNTUNED
from bench.results.board import Row
from bench.results.row_names import file_name, full_name, heading, label, spaceless, stands_within

SHOWN = 5
"""Cells or pairs that a message names; of the others it gives the number."""

Fit = tuple[Row, ...]
"""A row for each name."""


def ambiguous(names: Sequence[str], fits: Sequence[Fit], by_board: bool = True) -> BenchError:
    """The error.

    Args:
        names: one, or two that are compared.
        fits: what they fit, at least two; single rows where both names are the same.
        by_board: whether ``--within`` chooses a board; else those of several boards are told apart by their files.
    """
    boards = list(dict.fromkeys(map(_board, fits)))
    what = [label, full_name, file_name]
    called = next((name for name in what if len(set(_named(fits, name))) > 1), file_name)
    ways = []
    if len(boards) > 1 and not by_board:
        called = file_name
    if called is label:
        ways.append(f"name the loss, as in {_as_in(fits, label)}")
    if len(boards) > 1 and by_board:
        ways.append(f'choose a board, as in --within "{_part(boards[0], fits)}"')
    if not ways:
        way = "say the precision" if called is full_name else "name a record's file"
        way += " or a run's id" * (not by_board)
        ways.append(f"{way}, as in {_as_in(fits, called)}")
    shown = called if called is label or len(boards) == 1 or not by_board else label
    where = [f" ({_board(fit)})" if len(boards) > 1 else "" for fit in fits]
    texts = list(dict.fromkeys(map("".join, zip(_named(fits, shown), where, strict=True))))
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return BenchError(f"{_what(names)}: {'; '.join(ways)}. There are {'; '.join(texts[:SHOWN])}{more}")


def _what(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} fits several cells"
    if len(set(map(spaceless, names))) == 1:
        return f"A and B are the same name, {names[0]}, which fits several cells"
    return f"{' and '.join(names)} fit several pairs"


def _named(fits: Sequence[Fit], name: Callable[[Row], str]) -> Iterator[str]:
    return (" and ".join(map(name, fit)) for fit in fits)


def _as_in(fits: Sequence[Fit], name: Callable[[Row], str]) -> str:
    """The first of them, of those of its rows that are not the same in all."""
    several = [len(set(map(name, side))) > 1 for side in zip(*fits, strict=True)]
    return " and ".join(name(row) for row, varies in zip(fits[0], several, strict=True) if varies)


def _board(fit: Fit) -> str:
    """The board of all its rows: a baseline that learns nothing stands on that of the other."""
    return heading(next((row for row in fit if row.learns), fit[0]))


def _part(board: str, fits: Sequence[Fit]) -> str:
    """The shortest part of a heading by which that board is told from the others."""
    own, others = ([fit for fit in fits if (_board(fit) == board) is ours] for ours in (True, False))
    parts = [*board.split(" · "), UNTUNED, board, f"{board} · {UNTUNED}"]
    alone = [
        part
        for part in parts
        if all(_stands(fit, part) for fit in own) and not any(_stands(fit, part) for fit in others)
    ]
    return min(alone, key=len, default=board)


def _stands(fit: Fit, within: str) -> bool:
    return all(stands_within(row, within) for row in [row for row in fit if row.learns] or fit)
