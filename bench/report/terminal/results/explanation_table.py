"""Components of variance and main effects as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bench.report.markdown.cells import percentage
from bench.report.terminal.figure_table import FigureTable
from bench.results.explain.explained import KINDS, Effect, Explained, VariancePart
from bench.results.explain.explanation import Explanation


def explanation_tables(found: Sequence[Explanation]) -> RenderableType:
    """For each board: shares of variance by metric, main effects, cells to run next, and notes."""
    return Group(*(_board(explanation) for explanation in found))


def _board(found: Explanation) -> RenderableType:
    shares = _table("variance of a run's figure", found)
    for kind in KINDS:
        parts = [_part(explained, kind) for explained in found.metrics.values()]
        if any(parts):
            shares.add(kind, *(_share(part) if part else "–" for part in parts))
    shown: list[RenderableType] = [Text(found.board.replace("*", "")), Text(""), shares]
    for what, attribute in (("architectures", "models"), ("losses", "losses")):
        by_metric = [{e.name: e for e in getattr(explained, attribute)} for explained in found.metrics.values()]
        names = dict.fromkeys(name for effects in by_metric for name in effects)
        if names:
            table = _table(f"{what}, against their mean", found)
            for name in names:
                table.add(name, *(_effect(effects.get(name)) for effects in by_metric))
            shown += [Text(""), table]
    return Group(*shown, Text(""), *map(Text, _below(found)), Text(""))


def _table(title: str, found: Explanation) -> FigureTable:
    facts = [found.facts[name] for name in found.metrics]
    return FigureTable((title,), [f"{metric.head} {metric.column} {metric.arrow}" for metric in facts])


def _part(explained: Explained, kind: str) -> VariancePart | None:
    return next((part for part in explained.parts if part.kind == kind), None)


def _share(part: VariancePart) -> str:
    return f"{percentage(part.share)} ({part.low:.0%} to {part.high:.0%}) ± {part.deviation:.4f}"


def _effect(effect: Effect | None) -> str:
    return "–" if effect is None else f"{effect.effect:+.4f} ({effect.low:+.4f} to {effect.high:+.4f})"


def _below(found: Explanation) -> Iterator[str]:
    yield "Shares with 95 % intervals, ± the standard deviation; effects of few runs are drawn towards 0."
    yield (
        "Run next, with this board's budget and data, in this order (share of the uncertainty about all cells that the "
        "run would remove):"
    )
    for cell, command in zip(found.next, found.commands, strict=True):
        yield f"  {command}   {percentage(cell.gain)}"
    for note in found.notes:
        yield f"Note: {note}."
