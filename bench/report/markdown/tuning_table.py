"""What was chosen for every row of a tuned board, and what it is worth: a table."""

from __future__ import annotations

from bench.core.record import Tuning
from bench.report.markdown import code, table
from bench.report.markdown.cells import loss_cell
from bench.results.board import Group, Row

EDGES = {"lowest": "lowest of the grid", "highest": "highest of the grid", None: ""}
"""What is said of a chosen value at the edge: a better one may lie beyond, and a wider grid is another budget."""


def tuning_section(group: Group) -> str:
    """The table of a tuned board; empty for others."""
    tuned = [(row, row.any.tuning) for row in group.board if row.any.tuning is not None]
    if not tuned:
        return ""
    body = [_line(row, tuning) for row, tuning in tuned if tuning is not None]
    header = ["model", "loss", "tuned", "chosen", "at the edge", "its score", "untuned", "its score", "tried"]
    weights = tuned[0][1].weights if tuned[0][1] else {}
    about = (
        "Chosen on validation, by trials with a seed of their own, by the mean skill of the heads "
        f"({', '.join(f'{head} {weight:g}' for head, weight in weights.items())}). Every row had the same number of "
        "trials. A value at the edge of the grid may have a better one beyond it; a wider grid is another budget, for "
        "all rows."
    )
    return f"### Tuning\n\n{about}\n\n{table(header, body)}"


def chosen_cell(row: Row) -> str:
    """The value that a row was tuned to, marked where it lies at the edge of the grid; empty if it was not tuned."""
    tuning = row.any.tuning
    return "" if tuning is None else f"{tuning.parameter} {tuning.value:g}{' (edge)' if tuning.edge else ''}"


def _line(row: Row, tuning: Tuning) -> list[str]:
    tried = ", ".join(f"{each.value:g}: {_score(each.score, each.outcome)}" for each in tuning.tried)
    return [
        code(row.model),
        loss_cell(row),
        code(tuning.parameter),
        f"{tuning.value:g}",
        EDGES[tuning.edge],
        _score(tuning.score),
        f"{tuning.untuned:g}",
        _score(tuning.untuned_score),
        tried,
    ]


def _score(score: float | None, outcome: str = "") -> str:
    return f"{score:.3f}" if score is not None else "–" if outcome in ("", "finished") else outcome
