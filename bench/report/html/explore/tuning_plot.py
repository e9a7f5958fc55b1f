"""Score against the tuned number, a line a row of a board: an SVG figure without any script."""

from __future__ import annotations

import colorsys
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.core.record import Tuning
from bench.results.board import Group

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 360, 56, 16, 16, 44
_LOG_RATIO = 8.0
"""Of the largest to the smallest value, from which on the axis is logarithmic."""


@dataclass(frozen=True)
class _Axis:
    """Values to places along a side."""

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high = self._at(self.low), self._at(self.high)
        share = 0.5 if low == high else (self._at(value) - low) / (high - low)
        return self.begin + share * (self.end - self.begin)

    def _at(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


def tuning_plots(group: Group) -> list[tuple[str, str]]:
    """For each number that was tuned on a board its path and the figure; none for a board that is untuned."""
    found: dict[str, list[tuple[str, Tuning]]] = {}
    for row in group.board:
        if row.any.tuning is not None:
            label = f"{row.model} x {row.any.recipe_name}"
            found.setdefault(row.any.tuning.parameter, []).append((label, row.any.tuning))
    return [(parameter, _figure(parameter, lines)) for parameter, lines in found.items()]


def _figure(parameter: str, lines: Sequence[tuple[str, Tuning]]) -> str:
    values = sorted({each.value for _, tuning in lines for each in tuning.tried})
    scores = [each.score for _, tuning in lines for each in tuning.tried if each.score is not None]
    if not scores:
        return ""
    logarithmic = values[0] > 0 and values[-1] / values[0] > _LOG_RATIO
    across = _Axis(values[0], values[-1], _LEFT, _WIDTH - _RIGHT, logarithmic)
    upward = _Axis(min(0.0, *scores), max(scores), _HEIGHT - _BOTTOM, _TOP)
    parts = [_frame(parameter, values, across, upward)]
    for number, (label, tuning) in enumerate(lines):
        colour = _colour(number, len(lines))
        known = [(each, each.score) for each in tuning.tried if each.score is not None]
        points = " ".join(f"{across(each.value):.1f},{upward(score):.1f}" for each, score in known)
        name = html.escape(label)
        marks = "".join(
            f'<circle cx="{across(each.value):.1f}" cy="{upward(score):.1f}" '
            f'r="{6 if each.value == tuning.value else 3}" fill="{colour}">'
            f"<title>{name}, {html.escape(parameter)} = {each.value:g}: {score:.3f}</title></circle>"
            for each, score in known
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>{marks}')
    legend = "".join(
        f'<li><span style="color:{_colour(number, len(lines))}">&#9679;</span> {html.escape(label)}: '
        f"{tuning.value:g}{' (edge of the grid)' if tuning.edge else ''}</li>"
        for number, (label, tuning) in enumerate(lines)
    )
    title = f"Skill on validation against {html.escape(parameter)}"
    svg = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">{"".join(parts)}</svg>'
    return f"{svg}<ul>{legend}</ul>"


def _frame(parameter: str, values: Sequence[float], across: _Axis, upward: _Axis) -> str:
    """Axes with their labels."""
    text = 'fill="currentColor" font-size="11"'
    ticks = "".join(
        f'<text x="{across(value):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle" {text}>{value:g}</text>'
        for value in values
    )
    heights = [upward.low + (upward.high - upward.low) * step / 4 for step in range(5)]
    levels = "".join(
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{upward(height):.1f}" y2="{upward(height):.1f}" '
        f'stroke="currentColor" opacity="0.15"/>'
        f'<text x="{_LEFT - 6}" y="{upward(height) + 4:.1f}" text-anchor="end" {text}>{height:.2f}</text>'
        for height in heights
    )
    label = f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle" {text}>{html.escape(parameter)}</text>'
    return levels + ticks + label


def _colour(number: int, count: int) -> str:
    red, green, blue = colorsys.hls_to_rgb(number / max(1, count), 0.45, 0.65)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
