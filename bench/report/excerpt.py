"""The leaderboard's excerpt in README.md, between two markers."""

from __future__ import annotations

from collections.abc import Iterable

from bench.metrics import metrics
from bench.report.leaderboard import loss_cell, number
from bench.report.markdown import table
from bench.results.board import Row, groups_of
from bench.results.record import Record

BEGIN, END = "<!-- leaderboard -->\n", "<!-- /leaderboard -->\n"
_COLUMNS = {
    "mask_dice": "mask Dice ↑",
    "mask_iou": "mask IoU ↑",
    "depth_rmse": "depth RMSE ↓",
    "depth_delta1": "depth δ1 ↑",
}


def excerpt(records: Iterable[tuple[str, Record]]) -> str:
    """The first group of the leaderboard with its main columns."""
    first = next(iter(groups_of(records)), None)
    if first is None:
        return "(no records yet)\n"
    header = ["model", "loss", *_COLUMNS.values(), "parameters", "images/s"]
    body = [
        [
            f"`{row.model}`",
            loss_cell(row),
            *(number(row, metrics[name], first) for name in _COLUMNS),
            f"{_any(row).parameters:,}",
            _rate(row),
        ]
        for row in first.board
    ]
    machine = _any(first.board[0]).environment.label if first.board else ""
    return f"*{first.title}; images/s on {machine}*\n\n{table(header, body)}"


def put(text: str, records: Iterable[tuple[str, Record]]) -> str:
    """A page with its excerpt brought up to date; a page without the two markers is left as it is."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}{excerpt(records)}{end}{after}" if begin and end else text


def _any(row: Row) -> Record:
    return next(iter(row.records.values()))[1]


def _rate(row: Row) -> str:
    rate = _any(row).timings.images_per_second
    return "–" if rate is None else f"{rate:.0f}"
