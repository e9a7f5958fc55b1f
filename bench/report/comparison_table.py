"""A comparison as a table for the terminal, with what must be read beside it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.results.compare import Comparison
from bench.results.stats.seeds import MANY_SEEDS
from bench.results.stats.verdict import Finding

_MANY = 100
_COLOURS = {"better": "green", "worse": "red", "equal": "cyan", "cannot separate": "yellow"}


def comparison_table(comparison: Comparison) -> RenderableType:
    """The table with its heading above and its caveats below."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("metric")
    for heading in ("A", "B", "A - B", "95 % interval", "seeds alone", "equal within"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("A is", no_wrap=True)
    table.add_column("more seeds", no_wrap=True)
    for name, found in comparison.findings.items():
        table.add_row(
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
    return Group(*map(Text, lines), table, Text(""), *map(Text, _caveats(comparison)))


def _basis(comparison: Comparison) -> str:
    seeds = len(comparison.seeds)
    return (
        f"{seeds} seed{'s' if seeds > 1 else ''} in common, {comparison.images} test images "
        f"of {comparison.groups} backgrounds"
    )


def _caveats(comparison: Comparison) -> Iterator[str]:
    found = next(iter(comparison.findings.values()), None)
    if found is not None and found.for_these_seeds_only:
        seeds = f"{found.seeds} seed{'s' if found.seeds > 1 else ''}"
        yield (
            f"With {seeds} no paired sign-flip test can go below p = {found.least_p:g}: "
            f"with fewer than {MANY_SEEDS}, a verdict speaks for these seeds only."
        )
    for name, reason in comparison.skipped.items():
        yield f"{name} is not compared: {reason}."
    for note in comparison.notes:
        yield f"Note: {note}."


def _more(found: Finding) -> str:
    if found.more_seeds == 0:
        return "–"
    if found.more_seeds is not None:
        return f"about {found.more_seeds}" if found.more_seeds <= _MANY else f"over {_MANY}"
    return "run a second" if found.seeds == 1 else "more test images"


def _number(value: float, sign: str = "") -> str:
    return f"{value:{sign}.4f}" if abs(value) < 10 else f"{value:{sign}.2f}"
