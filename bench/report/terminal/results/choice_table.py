"""The models that meet limits as a table for the terminal, or which limits are missed by how much."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bench.report.markdown.cells import percentage, seeds_cell
from bench.report.terminal.figure_table import FigureTable
from bench.results.choose.choice import Candidate, Choice
from bench.results.choose.limit import LATENCY, MEMORY, PARAMETERS, Limit

_HEADINGS = {LATENCY: "latency, ms ↓", MEMORY: "memory, MiB ↓", PARAMETERS: "parameters ↓"}


def choice_table(choice: Choice) -> RenderableType:
    """A row per candidate that meets the limits, with the Pareto front marked; or the nearest candidates."""
    meeting = [candidate for candidate in choice.candidates if candidate.meets]
    lines = [choice.board.replace("*", ""), *(limit.option for limit in choice.limits), ""]
    shown: list[RenderableType] = [*map(Text, lines)]
    if meeting:
        meets = ["meets the limits"] if choice.limits else []
        figures = [*(_heading(choice, name) for name in choice.objectives), *meets, "on the front"]
        table = FigureTable(("front", "model", "loss", "precision", "seeds"), figures)
        for candidate in meeting:
            table.add(*_cells(choice, candidate))
        shown.append(table)
    doubts = [*choice.few, *(f"Alarm: {alarm}" for alarm in choice.alarms)]
    return Group(*shown, Text(""), *map(Text, [*_below(choice, meeting), *doubts]))


def _heading(choice: Choice, name: str) -> str:
    if name in _HEADINGS:
        return _HEADINGS[name]
    facts = choice.facts[name]
    return f"{facts.head} {facts.column} {facts.arrow}"


def _cells(choice: Choice, candidate: Candidate) -> list[str]:
    row = candidate.row
    figures = [_figure(candidate, name) for name in choice.objectives]
    wanted = (candidate.chance_meets, candidate.chance_front) if choice.limits else (candidate.chance_front,)
    chances = ["·" if chance is None else percentage(chance) for chance in wanted]
    return [
        "*" if candidate.front else "",
        row.model,
        row.recipe,
        row.any.spec.precision_label,
        seeds_cell(row),
        *figures,
        *chances,
    ]


def _figure(candidate: Candidate, name: str) -> str:
    value, latency = candidate.figures[name], candidate.latency
    if name == LATENCY and latency is not None:
        return f"{value:.3g} ({latency.low:.3g} to {latency.high:.3g})"
    return f"{value:,.0f}" if name in (MEMORY, PARAMETERS) else f"{value:.4f}"


def _below(choice: Choice, meeting: Sequence[Candidate]) -> Iterator[str]:
    if meeting:
        if choice.limits:
            yield f"{len(meeting)} of {len(choice.candidates)} candidates meet the limits."
        others = "no other candidate that meets them" if choice.limits else "no other candidate"
        yield f"* on the front: {others} is as good in everything and better in something."
        yield "Probabilities are over seeds, test images and restarts."
        unknown = sorted({candidate.unknown for candidate in meeting if candidate.unknown})
        if unknown:
            yield f"· has no probability: {', '.join(unknown)}."
        return
    yield "No candidate meets all the limits. The nearest:"
    for limit, candidates in choice.nearest.items():
        yield f"  {limit.option}"
        for candidate in candidates:
            yield f"    {_miss(choice, limit, candidate)}"
        if not candidates:
            yield "    every candidate meets it"


def _miss(choice: Choice, limit: Limit, candidate: Candidate) -> str:
    others = [
        other.option
        for other in choice.limits
        if other != limit and other.shortfall(candidate.figures[other.name]) > 0
    ]  # fmt: skip
    miss = limit.shortfall(candidate.figures[limit.name])
    far = (
        "not known" if math.isinf(miss) else f"{1 + miss:.1f} times it" if miss >= 1 else f"short by {percentage(miss)}"
    )
    rest = (
        f"; it also misses {' and '.join(others)}"
        if others
        else "; it meets the others"
        if len(choice.limits) > 1
        else ""
    )
    return f"{candidate.row.model}:{candidate.row.recipe}: {_figure(candidate, limit.name)}, {far}{rest}"
