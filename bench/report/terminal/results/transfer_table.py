"""Negative transfer as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bench.report.terminal.figure_table import FigureTable
from bench.report.terminal.results.comparison_table import caveats
from bench.results.transfer import Transfer

_WORDS = {"better": "helps", "worse": "harms", "equal": "makes no difference"}


def transfer_table(transfers: Sequence[Transfer]) -> RenderableType:
    """A row per task and metric: joint, alone, relative change, interval, and the effect of learning both."""
    boards = dict.fromkeys(transfer.board for transfer in transfers)
    return Group(*(_board(board, [t for t in transfers if t.board == board]) for board in boards))


def _board(board: str, members: Sequence[Transfer]) -> RenderableType:
    figures = ("joint", "alone", "change", "95 % interval", "seeds")
    table = FigureTable(("joint", "alone", "metric"), figures, ("learning both",))
    for transfer in members:
        found, change = transfer.finding, transfer.change
        table.add(
            transfer.joint,
            transfer.twin,
            f"{transfer.metric} {transfer.facts.arrow}",
            f"{found.a:.4f}",
            f"{found.b:.4f}",
            f"{change[0]:+.1%}" if change else "–",
            f"{change[1]:+.1%} to {change[2]:+.1%}" if change else "–",
            str(found.seeds),
            _WORDS.get(found.verdict, found.verdict),
        )
    notes = list(dict.fromkeys(note for transfer in members for note in transfer.notes))
    below = caveats([transfer.finding for transfer in members], notes)
    return Group(Text(board), Text(""), table, Text(""), *map(Text, below))
