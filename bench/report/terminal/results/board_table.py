"""The leaderboard as tables for the terminal, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.console import Group as Lines
from rich.text import Text

from bench.core.record.metric_facts import MetricFacts
from bench.report.legend import TIES, unranked
from bench.report.markdown.cells import percentage, plain_number, rate_text
from bench.report.terminal.figure_table import FigureTable
from bench.results.board.overview import Line

_LAYOUTS = (
    (False, ()),
    (True, ()),
    (True, ("parameters",)),
    (True, ("parameters", "images/s")),
    (True, ("±",)),
    (True, ("±", "parameters")),
    (True, ("±", "parameters", "images/s")),
    (True, ("±", "parameters", "images/s", "other metrics")),
    (True, ("±", "parameters", "images/s", "other metrics", "seeds")),
    (True, ("±", "parameters", "images/s", "seeds", "all metrics but the first")),
)  # fmt: skip
"""From the widest table to the narrowest: whether a row's name takes a single column, and what is left out."""


def board_tables(
    lines: Sequence[Line],
    metrics: Sequence[str],
    facts: Mapping[str, MetricFacts],
    notes: Mapping[str, Sequence[str]] | None = None,
) -> RenderableType:
    """A table for each board of the lines, with how to read it; on a narrow terminal with fewer columns.

    Args:
        lines: of `bench.results.board.overview`.
        metrics: the columns of scores, with the standard deviation between seeds.
        facts: facts of each metric.
        notes: further lines below a board's table, by its title.
    """
    shown: list[RenderableType] = []
    for title in dict.fromkeys(line["board"] for line in lines):
        ours = [line for line in lines if line["board"] == title and not _repeats(line)]
        below = [*_legend(ours, facts), *(notes or {}).get(title, ())]
        shown += [Text(title.replace("*", "")), _BoardTable(ours, metrics, facts), *map(Text, below), Text("")]
    return Lines(*shown) if shown else Text("no row matches")


_BASELINE = "none"
"""The loss of what learns nothing."""


def _repeats(line: Line) -> bool:
    """Whether it is a baseline elsewhere: it says of the data what the board's own does, and no page shows it."""
    return line["elsewhere"] is not None and line["loss"] == _BASELINE


class _BoardTable:
    """The widest of the layouts of a board that fits the console; the narrowest, its names folded, where none does."""

    def __init__(self, lines: Sequence[Line], metrics: Sequence[str], facts: Mapping[str, MetricFacts]) -> None:
        ranks = [name for name in metrics if facts[name].ranks] or [*metrics[:1]]
        self._layouts = []
        for merged, without in _LAYOUTS:
            kept = metrics[:1] if "all metrics but the first" in without else ranks
            chosen = kept if {"other metrics", "all metrics but the first"} & {*without} else metrics
            self._layouts.append((_table(lines, chosen, facts, merged, without), _left_out(without)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        fitting = (layout for layout in self._layouts if layout[0].whole_width(console) <= options.max_width)
        table, left_out = next(fitting, self._layouts[-1])
        yield table
        if left_out:
            yield Text(left_out)


def _left_out(without: Sequence[str]) -> str:
    if not without:
        return ""
    words = ["± (the standard deviation between seeds)" if name == "±" else name for name in without]
    return f"Left out at this width: {', '.join(words)}. A pipe and --csv have all."


def _table(
    lines: Sequence[Line],
    metrics: Sequence[str],
    facts: Mapping[str, MetricFacts],
    merged: bool,
    without: Sequence[str],
) -> FigureTable:
    gap = "\n" if merged else " "
    headings = [f"{facts[name].head}{gap}{facts[name].column} {facts[name].arrow}" for name in metrics]
    names = ["tie", "model, loss, precision"] if merged else ["tie", "model", "loss", "precision"]
    figures = ["seeds", *headings, "best", "parameters", "images/s"]
    kept = [place for place, name in enumerate(figures) if name not in without]
    figures = [figures[place] for place in kept]
    if any("\n" in heading for heading in figures):
        names, figures = ([name if "\n" in name else f"\n{name}" for name in part] for part in (names, figures))
    table = FigureTable(names, figures)
    for line in lines:
        tie, *name, precision = _names(line)
        cells = _figures(line, metrics, "±" not in without)
        named = [" ".join(filter(None, [*name, precision]))] if merged else [*name, precision]
        table.add(tie, *named, *(cells[place] for place in kept))
    return table


def _names(line: Line) -> list[str]:
    return [
        "" if line["loss"] == _BASELINE else "·" if line["tie"] is None else str(line["tie"]),
        line["model"] if line["elsewhere"] is None else f"↳ {line['model']}",
        line["loss"] if line["loss"] != _BASELINE else "",
        line["precision"],
    ]


def _figures(line: Line, metrics: Sequence[str], spread: bool) -> list[str]:
    begun = line["seeds"] + line["unfinished"]
    return [
        str(line["seeds"]) if begun == line["seeds"] else f"{line['seeds']} of {begun}",
        *(_score(line.get(name), line.get(f"{name}/sd") if spread else None) for name in metrics),
        "" if line["best"] is None else percentage(line["best"]),
        f"{line['parameters']:,}",
        _rate(line),
    ]


def _rate(line: Line) -> str:
    rate = line["images_per_second"]
    if rate is None:
        return "–"
    return f"({rate_text(rate)})" if line["disturbed"] else rate_text(rate)


def _legend(lines: Sequence[Line], facts: Mapping[str, MetricFacts]) -> Iterator[str]:
    """How to read a board's table, a line each."""
    ranked = [facts[line["ranked_by"]] for line in lines if line["tie"] is not None]
    if ranked:
        yield f"tie and best are by {ranked[0].head} {ranked[0].column}; best: the probability of being the best row."
        yield TIES
    reasons = [line["unranked"] for line in lines if line["elsewhere"] is None]
    yield from filter(None, [unranked(reasons)])
    elsewhere = dict.fromkeys(line["elsewhere"] for line in lines if line["elsewhere"] is not None)
    if elsewhere:
        yield f"↳ the same on another kind of arithmetic, not ranked: {'; '.join(elsewhere)}."
    timed = [line for line in lines if line["images_per_second"] is not None]
    where = "; ".join(dict.fromkeys(line["machine"] for line in timed))
    busy = "; in brackets: others kept it busy" if any(line["disturbed"] for line in timed) else ""
    if any(line["loss"] != _BASELINE for line in lines):
        yield f"images/s: {f'training on {where}; ' if where else ''}– is not timed, or beside other runs{busy}."


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
