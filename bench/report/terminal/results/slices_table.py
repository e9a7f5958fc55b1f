"""Scores by slice as a table for the terminal, with the largest gaps below."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from bench.report.terminal.figure_table import FigureTable
from bench.results.slices.slice_score import Gap, SliceScore
from bench.results.slices.slices import SliceFigures, Slices
from bench.results.stats.grouping import FEW


def slices_table(found: Slices) -> RenderableType:
    """A row per slice: the scores of a cell, or the differences of two; then the caveats."""
    facts = [found.facts[name] for name in found.metrics]
    headings = [f"{metric.head} {metric.column} {metric.arrow}" for metric in facts]
    table = FigureTable(("", "slice"), ("images", *headings))
    attribute = ""
    for part in (found.whole, *found.parts):
        new = part.slice.attribute != attribute
        attribute = part.slice.attribute
        if new:
            table.add_section()
        cells = [_cell(part, name, bool(found.b)) for name in found.metrics]
        table.add(attribute if new else "", part.slice.label, str(part.slice.count), *cells)
    lines = [f"A  {found.a}", f"B  {found.b}"] if found.b else [found.a]
    what = "A - B" if found.b else "figures"
    lines.append(f"{found.board}; {what} with 95 % intervals over seeds, backgrounds and objects")
    return Group(*map(Text, [*lines, ""]), table, Text(""), *map(Text, _below(found)))


def _cell(part: SliceFigures, metric: str, compared: bool) -> str:
    if not compared:
        figure = part.a.get(metric)
        return "–" if figure is None else _figure(figure)
    gap = part.gaps.get(metric)
    return "–" if gap is None else _gap(gap)


def _figure(figure: SliceScore) -> str:
    return f"{figure.mean:.4f} ({figure.low:.4f} to {figure.high:.4f})"


def _gap(gap: Gap) -> str:
    return f"{gap.effect:+.4f} ({gap.low:+.4f} to {gap.high:+.4f}){'*' if gap.real else ' '}"


def _below(found: Slices) -> Iterator[str]:
    if found.b:
        yield "Largest gaps, as a share of what both lack of a perfect score on all images:"
        for part, name in found.largest():
            values = [f"{side[name].mean:.4f}" for side in (part.a, part.b) if name in side]
            luck = "" if part.gaps[name].real else "; may be luck"
            yield f"  {part.slice.attribute} {part.slice.label}: {name} {' against '.join(values)}{luck}"
        yield "* more than luck, corrected for all slices and metrics of this table (Holm)."
    if found.pairing.random and found.pairing.seeds == 1:
        yield "One seed: the intervals hold for these runs and the choice of test images only; run a second seed."
    if found.described_by:
        yield f"Facts of the images are from {found.described_by}: the same test images."
    for few in found.few:
        yield f"Only {few}: with fewer than {FEW} an interval is wide and less reliable."
    yield from (f"Note: {note}." for note in found.notes)
