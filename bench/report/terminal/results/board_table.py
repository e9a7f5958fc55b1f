"""The leaderboard as tables for the terminal, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.text import Text

from bench.core.record.metric_facts import MetricFacts
from bench.report.markdown.cells import percentage, plain_number, rate_text
from bench.report.terminal.figure_table import FigureTable
from bench.results.board.overview import Line


def board_tables(lines: Sequence[Line], metrics: Sequence[str], facts: Mapping[str, MetricFacts]) -> RenderableType:
    """A table for each board of the lines.

    Args:
        lines: of `bench.results.board.overview`.
        metrics: the columns of scores, with the standard deviation between seeds.
        facts: facts of each metric.
    """
    shown: list[RenderableType] = []
    for title in dict.fromkeys(line["board"] for line in lines):
        headings = [f"{facts[name].head} {facts[name].column} {facts[name].arrow}" for name in metrics]
        figures = ("seeds", *headings, "best", "parameters", "images/s")
        table = FigureTable(("tie", "model", "loss", "precision"), figures)
        for line in (line for line in lines if line["board"] == title):
            table.add(*_cells(line, metrics))
        shown += [Text(title.replace("*", "")), table, Text("")]
    return Lines(*shown) if shown else Text("no row matches")


def _cells(line: Line, metrics: Sequence[str]) -> list[str]:
    begun = line["seeds"] + line["unfinished"]
    return [
        "" if line["loss"] == "none" else "·" if line["tie"] is None else str(line["tie"]),
        line["model"],
        line["loss"] if line["loss"] != "none" else "",
        line["precision"],
        str(line["seeds"]) if begun == line["seeds"] else f"{line['seeds']} of {begun}",
        *(_score(line.get(name), line.get(f"{name}/sd")) for name in metrics),
        "" if line["best"] is None else percentage(line["best"]),
        f"{line['parameters']:,}",
        "–" if line["images_per_second"] is None else rate_text(line["images_per_second"]),
    ]


def _score(value: float | None, spread: float | None) -> str:
    if value is None:
        return "–"
    return plain_number(value) + (f" ± {spread:.4f}" if spread is not None else "")


def as_csv(lines: Sequence[Line]) -> str:
    """The lines as CSV with all their columns; unknown values are empty."""
    columns = list(dict.fromkeys(name for line in lines for name in line))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: "" if value is None else value for name, value in line.items()} for line in lines])
    return out.getvalue()


def as_json(lines: Sequence[Line]) -> str:
    """The lines as a JSON list of objects; unknown values are null."""
    return json.dumps([dict(line) for line in lines], indent=1, ensure_ascii=False) + "\n"
