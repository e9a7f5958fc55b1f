"""A run's scores on another data set, and a leaderboard's order on it, as tables for the terminal."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.text import Text

from bench.core.amount import amount
from bench.core.record import Record
from bench.core.record.evaluation import EvaluationRecord
from bench.report.terminal.figure_table import FigureTable
from bench.results.board import data_label
from bench.run.evaluate.board_evaluation import BoardEvaluation


def evaluation_table(found: EvaluationRecord, record: Record) -> RenderableType:
    """A row per metric: the run and the baselines on that data, the skill, and the run's own test score.

    Depth that is compared after alignment alone is shown so.
    """
    aligned = {"depth"} - {facts.head for facts in found.metrics.values() if facts.compared}
    table = FigureTable(("metric",), ("run", *found.baselines, "skill", "own test"))
    for name, facts in sorted(found.metrics.items(), key=lambda item: (item[1].order, item[0])):
        if not facts.compared and facts.head not in aligned:
            continue
        baselines = [of[name].value if name in of else None for of in found.baselines.values()]
        skill = found.skill.get(name)
        own = record.test.get(name)
        table.add(
            f"{name} {facts.arrow}",
            _shown(found.test[name].value),
            *map(_shown, baselines),
            "–" if skill is None else f"{skill:+.2f}",
            _shown(None if own is None else own.value),
        )
    title = (
        f"{found.model}:{found.recipe_name}, seed {found.seed}, trained on {data_label(found.trained_on)}, on "
        f"{data_label(found.data)}: {amount(found.samples, 'test image')} of {found.size} px; baselines fitted to "
        f"{found.fitted_on} of its training images{'; the test leaks into training' * found.leaks}"
    ).replace("*", "")
    return Group(Text(title), Text(""), table, *map(Text, found.notes))


def order_table(found: BoardEvaluation) -> RenderableType:
    """A row per cell with its scores on both data sets, and Kendall's tau of each metric below."""
    figures = [f"{name} {found.facts[name].arrow} {where}" for name in found.agreements for where in ("own", "there")]
    table = FigureTable(("cell",), ("seeds", *figures))
    for place, cell in enumerate(found.cells):
        figures = [side[place] for each in found.agreements.values() for side in (each.here, each.elsewhere)]
        table.add(cell, str(found.seeds[place]), *(_shown(float(figure)) for figure in figures))
    lines = [
        f"{name}: Kendall's tau {_signed(each.tau)}, 95 % interval {_signed(each.low)} to {_signed(each.high)}"
        for name, each in found.agreements.items()
    ]
    lines += found.notes
    if found.left_out:
        lines.append(f"left out, as their weights are missing: {', '.join(found.left_out)}")
    return Group(Text(found.title.replace("*", "")), Text(""), table, Text(""), *map(Text, lines))


def _shown(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def _signed(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:+.2f}"
