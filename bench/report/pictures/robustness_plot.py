"""A run's scores on disturbed images as a picture: a panel per disturbance, with run and baseline."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from bench.report.terminal.results.robustness_table import is_held, verdict
from bench.run.robust.robustness import Curve, Robustness

_PANEL, _HIGH = 300, 230
_LEFT, _TOP, _BOTTOM, _RIGHT = 44, 30, 46, 12
_TITLE, _COLUMNS = 60, 4
_RUN, _BASELINE, _GRID, _MARK = "#1f5fbf", "#c05a00", "#e0e0e0", "#b00020"


def robustness_plot(found: Robustness) -> Image.Image:
    """Panels of the metric over grades 0 to 5 on a common scale; a red line where the run falls below the baseline.

    Nothing is said of a baseline that could not be fitted.
    """
    rows = -(-len(found.curves) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _PANEL, _TITLE + rows * _HIGH), "white")
    pen = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(size=15), ImageFont.load_default(size=12)
    title = f"{found.run}: {found.metric}, {'higher' if found.facts.higher_is_better else 'lower'} is better"
    pen.text((12, 8), title, fill="black", font=large)
    held = any(value is not None for curve in found.curves for value in curve.baseline)
    lines = [("run", _RUN), *([(found.baseline, _BASELINE)] if held else [])]
    for at, (label, colour) in enumerate(lines):
        pen.line((14 + 140 * at, 42, 38 + 140 * at, 42), fill=colour, width=3)
        pen.text((44 + 140 * at, 34), label, fill="black", font=small)
    values = [value for curve in found.curves for value in (*curve.run, *curve.baseline) if value is not None]
    low, high = min(0.0, *values), max(values)
    for number, curve in enumerate(found.curves):
        left, top = number % _COLUMNS * _PANEL, _TITLE + number // _COLUMNS * _HIGH
        _panel(pen, curve, (left, top), (low, max(high, low + 1e-6)), small)
    return sheet


def _panel(
    pen: ImageDraw.ImageDraw,
    curve: Curve,
    corner: tuple[int, int],
    scale: tuple[float, float],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    left, right = corner[0] + _LEFT, corner[0] + _PANEL - _RIGHT
    top, bottom = corner[1] + _TOP, corner[1] + _HIGH - _BOTTOM
    low, high = scale

    def across(grade: float) -> float:
        return left + (right - left) * grade / len(curve.amounts)

    def upward(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / (high - low)

    below = f" (below: {verdict(curve)})" if is_held(curve) else ""  # the font has no dash
    pen.text((left, corner[1] + 8), f"{curve.name}{below}", fill="black", font=font)
    for step in range(5):
        value = low + (high - low) * step / 4
        pen.line((left, upward(value), right, upward(value)), fill=_GRID)
        pen.text((left - 6, upward(value)), f"{value:.2f}", fill="black", font=font, anchor="rm")
    for grade, label in enumerate(["none", *(f"{amount:g}" for amount in curve.amounts)]):
        pen.text((across(grade), bottom + 9), label, fill="black", font=font, anchor="mt")
    pen.text(((left + right) / 2, bottom + 26), curve.unit, fill="black", font=font, anchor="mt")
    if curve.falls_below is not None:
        pen.line((across(curve.falls_below), top, across(curve.falls_below), bottom), fill=_MARK, width=2)
    for values, colour in ((curve.baseline, _BASELINE), (curve.run, _RUN)):
        _line(pen, [None if v is None else (across(g), upward(v)) for g, v in enumerate(values)], colour)


def _line(pen: ImageDraw.ImageDraw, places: Sequence[tuple[float, float] | None], colour: str) -> None:
    """Dots, joined where both neighbours are known."""
    for before, place in zip([None, *places], places, strict=False):
        if place is not None:
            if before is not None:
                pen.line((*before, *place), fill=colour, width=2)
            pen.ellipse((place[0] - 3, place[1] - 3, place[0] + 3, place[1] + 3), fill=colour)
