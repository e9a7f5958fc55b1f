"""A run's scores on disturbed images as a table for the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from bench.core.amount import amount
from bench.report.terminal.figure_table import FigureTable
from bench.run.robust.robustness import Curve, Robustness


def robustness_table(found: Robustness) -> RenderableType:
    """Two rows per disturbance, run and baseline, and a column per grade; notes below."""
    grades = ("none", "1", "2", "3", "4", "5")
    table = FigureTable(("disturbance", "amount of grades 1 to 5", ""), grades, ("below the baseline",))
    for curve in found.curves:
        amounts = f"{', '.join(f'{amount:g}' for amount in curve.amounts)} {curve.unit}".rstrip()
        table.add(curve.name, amounts, "run", *map(_shown, curve.run), verdict(curve))
        table.add("", "", found.baseline, *map(_shown, curve.baseline), "", style="dim")
    title = f"{found.run}: {found.metric} {found.facts.arrow} on {amount(found.samples, 'test image')}"
    summaries = [f"{curve.name}: {curve.summary} {curve.unit}".rstrip() for curve in found.curves]
    return Group(Text(title), Text(""), table, Text(""), Text("; ".join(summaries)), *map(Text, found.notes))


def verdict(curve: Curve) -> str:
    """The grade from which the run is below the baseline, in words; a dash where there is nothing to be below."""
    if curve.falls_below is None:
        return "never" if is_held(curve) else "–"
    return f"from grade {curve.falls_below}" if curve.falls_below else "undisturbed already"


def is_held(curve: Curve) -> bool:
    """Whether the run is held against a baseline, in some grade."""
    return any(None not in pair for pair in zip(curve.run, curve.baseline, strict=True))


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
