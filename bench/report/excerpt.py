"""The leaderboard's excerpt in README.md, between two markers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.core.record import Record
from bench.report.leaderboard import heading, loss_cell, number
from bench.report.markdown import table
from bench.results.board import Row, groups_of

BEGIN, END = "<!-- leaderboard -->", "<!-- /leaderboard -->"


def excerpt(records: Iterable[tuple[str, Record]]) -> str:
    """The first group of the leaderboard with its main columns."""
    first = next(iter(groups_of(records)), None)
    if first is None:
        return "(no records yet)\n"
    machine = first.board[0].any if first.board else None
    shown = [name for name, facts in first.metrics.items() if facts.headline]
    headings = [f"{facts.head} {heading(facts)}" for facts in (first.metrics[name] for name in shown)]
    header = ["model", "loss", *headings, "parameters", "images/s"]
    body = [
        [
            _name(row, first.board),
            loss_cell(row),
            *(number(row, name, first) for name in shown),
            f"{row.any.parameters:,}",
            _rate(row, machine),
        ]
        for row in first.board
    ]
    where = machine.environment.label if machine else "no machine yet"
    return f"*{first.title}; images/s on {where}*\n\n{table(header, body)}"


def put(text: str, records: Iterable[tuple[str, Record]]) -> str:
    """A page with its excerpt brought up to date, in its own line endings; without the two markers it stays."""
    newline = "\r\n" if "\r\n" in text else "\n"
    before, begin, rest = text.partition(BEGIN + newline)
    _, end, after = rest.partition(END + newline)
    shown = excerpt(records).replace("\n", newline)
    return f"{before}{begin}{shown}{end}{after}" if begin and end else text


def _name(row: Row, board: Sequence[Row]) -> str:
    """The model, with its precision where the board has it under the same loss in another one too."""
    alike = [other for other in board if (other.model, other.recipe) == (row.model, row.recipe)]
    return f"`{row.model}`" + (f" ({row.any.spec.precision_label})" if len(alike) > 1 else "")


def _rate(row: Row, machine: Record | None) -> str:
    """Images a second, if they were measured on the machine that the caption names."""
    rate = row.any.timings.images_per_second
    return "–" if rate is None or machine is None or row.any.fingerprint != machine.fingerprint else f"{rate:.0f}"
