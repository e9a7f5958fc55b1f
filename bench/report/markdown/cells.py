"""Cells of the tables of rows: a figure is formatted the same wherever it is shown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from bench.core.record import Record
from bench.core.record.metric_facts import MetricFacts
from bench.metrics.summary import skill
from bench.report.markdown import code
from bench.results.board import Group, disturbed, rate
from bench.results.board.row import Row


def loss_cell(row: Row) -> str:
    """The recipe's name, or ``(learns nothing)`` for a baseline."""
    return code(row.recipe) if row.learns else "(learns nothing)"


def precision_cell(record: Record) -> str:
    """Precision, and the memory format where it is not the default."""
    return record.spec.precision_label


def seeds_cell(row: Row) -> str:
    """Number of finished seeds, of how many started, and on how many machines where these are pooled."""
    finished = sum(len(part.records) for part in row.parts)
    begun = finished + sum(len(part.unfinished) for part in row.parts)
    count = f"{finished} of {begun}" if begun > finished else str(finished)
    machines = f" on {len(row.parts)} machines" if row.pooled else ""
    return f"{count}{machines}{'†' if row.mixed else ''}"


def heading(facts: MetricFacts) -> str:
    """A metric's heading in a table of its head, with its unit and its direction."""
    unit = f", {facts.unit}" if facts.unit not in ("", "range") else ""
    return f"{facts.column}{unit} {facts.arrow}"


def number(row: Row, metric: str, group: Group, bold: bool = False) -> str:
    """A metric's mean over seeds with its spread and its skill."""
    values = row.values(metric)
    if not values:
        return "–"
    mean = statistics.fmean(values)
    text = plain_number(mean)
    text = f"**{text}**" if bold else text
    spread = row.spread(metric)
    if spread is not None:
        text += f" ± {spread:.4f}"
    gained = skill(mean, group.baseline_means(metric), group.metrics[metric])
    return text if gained is None or not row.learns else f"{text} <sub>{gained:+.2f}</sub>"


def gap_cell(gap: float | None) -> str:
    """What a metric loses on groups that training has not seen."""
    return "–" if gap is None else f"{gap:+.4f}"


def plain_number(value: float) -> str:
    """A score: four decimals, or two from 10 on."""
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def row_label(row: Row) -> str:
    """A row in a sentence: the model as code, with its recipe if it has one."""
    return f"{code(row.model)} with {code(row.recipe)}" if row.learns else code(row.model)


def rate_cell(records: Sequence[Record]) -> str:
    """Images per second on a machine, see `time_cell`."""
    found = rate(records)
    return time_cell("–" if found is None else rate_text(found), records)


def time_cell(text: str, records: Sequence[Record]) -> str:
    """What was timed in these records; in brackets where every window was disturbed."""
    return f"({text})" if text != "–" and disturbed(records) else text


def rate_text(rate: float) -> str:
    """Images per second, three digits at least."""
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}"


def median(values: Sequence[float | None], digits: int = 1) -> str:
    """The median of the known values, or a dash."""
    known = [value for value in values if value is not None]
    return f"{statistics.median(known):.{digits}f}" if known else "–"


def percentage(share: float) -> str:
    """A probability in per cent, at most ``>99 %`` and at least ``<1 %``."""
    return "<1 %" if share < 0.01 else ">99 %" if share > 0.99 else f"{share:.0%}".replace("%", " %")
