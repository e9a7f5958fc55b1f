"""A comparison as a table for the terminal, with its caveats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bench.core.amount import amount
from bench.report.terminal.figure_table import FigureTable
from bench.results.compare import Comparison
from bench.results.stats.grouping import FEW
from bench.results.stats.verdict import MetricComparison

_COLOURS = {"better": "green", "worse": "red", "equal": "cyan", "cannot separate": "yellow", "no verdict": "magenta"}


def comparison_table(comparison: Comparison) -> RenderableType:
    """The table with its heading above and its caveats below."""
    figures = ("A", "B", "A - B", "95 % interval", "seeds alone", "equal within")
    table = FigureTable(("metric",), figures, ("A is", "more seeds"))
    for name, found in comparison.findings.items():
        table.add(
            f"{name} {comparison.facts[name].arrow}",
            _number(found.a),
            _number(found.b),
            _number(found.effect, "+"),
            f"{_number(found.low, '+')} to {_number(found.high, '+')}",
            f"{_number(found.seed_low, '+')} to {_number(found.seed_high, '+')}",
            f"±{_number(found.margin)}",
            Text(found.verdict, style=_COLOURS[found.verdict]),
            _more(found),
        )
    lines = [f"A  {comparison.a}", f"B  {comparison.b}", f"{comparison.board}; {_basis(comparison)}", ""]
    below = [*caveats(list(comparison.findings.values()), comparison.notes), *_skipped(comparison)]
    return Group(*map(Text, lines), table, Text(""), *map(Text, below))


def caveats(findings: Sequence[MetricComparison], notes: Sequence[str]) -> Iterator[str]:
    """Caveats of findings on the same seeds, a line each."""
    undecided = [found for found in findings if found.verdict == "no verdict"]
    if any(found.seeds == 1 for found in undecided):
        yield "One seed: the intervals hold for these runs and the choice of test images only; run a second seed."
    elif undecided:
        yield f"No verdict: the test images show {' and '.join(undecided[0].few)}, too few to generalise from."
    for few in dict.fromkeys(few for found in findings for few in found.few):
        yield f"Only {few}: with fewer than {FEW} an interval is wide and less reliable."
    if any(found.seeds == 2 for found in findings):
        yield "Two seeds show large differences only (docs/statistics.md)."
    for note in notes:
        yield f"Note: {note}."


def _skipped(comparison: Comparison) -> Iterator[str]:
    for name, reason in comparison.skipped.items():
        yield f"{name} is not compared: {reason}."


def _basis(comparison: Comparison) -> str:
    pairing, groups = comparison.pairing, comparison.groups
    if pairing.paired:
        seeds = amount(pairing.seeds, "seed") + " in common" * (pairing.a == pairing.b)
    else:
        seeds = f"seeds {_list(pairing.a)} against {_list(pairing.b)}"
    shown = " and ".join(f"{count} {kind}" for kind, count in groups.items())
    return f"{seeds}, {amount(comparison.images, 'test image')} of {shown}"


def _list(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _more(found: MetricComparison) -> str:
    if found.verdict == "no verdict":
        return "run a second" if found.seeds == 1 else "–"
    if found.more is None:
        return "–"
    if found.more.count is not None:
        return f"{found.more.count} ({found.more.chance:.0%} chance)"
    return "more test images" if found.more.images_instead else "over 100"


def _number(value: float, sign: str = "") -> str:
    return f"{value:{sign}.4f}" if abs(value) < 10 else f"{value:{sign}.2f}"
