"""A profile as a self-contained HTML page: where a step's time goes, and how reliable the figures are."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from bench.profile.block import Block
from bench.profile.profile import Profile
from bench.report.blocks import FAMILIES, css, pass_of, shades, text_on
from bench.report.html.template import render
from bench.timing.ledger import STEP, TimelineEntry

MOST_STEPS = 12
"""Number of steps drawn in the time line."""

WHOLE = "whole step"

_ROW, _STEP_ROW, _AXIS = 46, 24, 56  # pixels

PlotlyFigure = dict[str, Any]
"""Data and layout, as plotly.js takes them."""


class _Segment(NamedTuple):
    block: Block
    stage: str
    colour: str
    text: str


class _Cell(NamedTuple):
    text: str
    value: float | None


def profile_page(profile: Profile, intervals: Sequence[TimelineEntry]) -> str:
    """The page of a profile.

    Args:
        profile: what was measured.
        intervals: the time line of an instrumented window; if empty, that figure is left out.

    Returns:
        HTML with scripts and styles inlined, about 5 MB, most of it plotly.js.
    """
    segments = _segments(profile.blocks)
    figures = {"step": step_figure(profile), "memory": memory_figure(profile)}
    if intervals:
        figures["timeline"] = timeline_figure(profile, intervals)
    return render(
        "profile.html.j2",
        profile=profile,
        legend=[(name, css(FAMILIES[name])) for name in dict.fromkeys(pass_of(b.name) for b in profile.blocks)],
        rows=[(segment.block.name, segment.colour, _cells(segment.block)) for segment in segments],
        figures=figures,
        drawn_steps=len({s.step for s in _drawn(intervals)}),
        window_steps=len({s.step for s in intervals}),
    )


def step_figure(profile: Profile) -> PlotlyFigure:
    """The blocks' median times as stacked bars: the whole step, and below it each pass."""
    segments = _segments(profile.blocks)
    shares: dict[str, float] = {WHOLE: 1.0}
    for block in profile.blocks:
        shares[pass_of(block.name)] = shares.get(pass_of(block.name), 0.0) + block.time.share
    traces = [
        _bar(
            segment,
            x=[max(0.0, segment.block.time.median_ms)] * 2,
            y=[WHOLE, pass_of(segment.block.name)],
            text=escape(segment.stage),
            hovertemplate=_hover(segment.block),
        )
        for segment in segments
    ]
    layout = _layout(_ROW * len(shares) + _AXIS, "milliseconds a step")
    layout["yaxis"] |= {
        "categoryorder": "array",
        "categoryarray": list(shares),
        "tickvals": list(shares),
        "ticktext": [name if name == WHOLE else f"{name}  {share:.1%}" for name, share in shares.items()],
    }
    return {"data": traces, "layout": layout}


def timeline_figure(profile: Profile, intervals: Sequence[TimelineEntry]) -> PlotlyFigure:
    """The first steps of a window as rows, each block drawn from its start to its end."""
    drawn = _drawn(intervals)
    begins = {s.step: s.begin_ms for s in drawn if s.name == STEP}
    traces = []
    for segment in _segments(profile.blocks):
        name = segment.block.name
        row = [s for s in drawn if s.name == name and s.step in begins]
        if row:
            traces.append(
                _bar(
                    segment,
                    base=[s.begin_ms - begins[s.step] for s in row],
                    x=[s.length_ms for s in row],
                    y=[s.step for s in row],
                    customdata=[[s.length_ms, s.begin_ms - begins[s.step]] for s in row],
                    hovertemplate=f"<b>{escape(name)}</b>, step %{{y}}<br>%{{customdata[0]:.3f}} ms, begun at "
                    "%{customdata[1]:.3f} ms<extra></extra>",
                )
            )
    layout = _layout(_STEP_ROW * len(begins) + _AXIS, "milliseconds since the step began")
    layout["barmode"] = "overlay"
    layout["yaxis"] |= {"title": {"text": "step"}, "dtick": 1}
    return {"data": traces, "layout": layout}


def memory_figure(profile: Profile) -> PlotlyFigure:
    """Peak memory of each block, in the order in which they run."""
    segments = [segment for segment in _segments(profile.blocks) if segment.block.operations]
    traces = [
        _bar(
            segment,
            x=[max(0.0, segment.block.peak_mib)],
            y=[escape(segment.block.name)],
            hovertemplate=f"<b>{escape(segment.block.name)}</b><br>{segment.block.peak_mib:.1f} MiB at its worst moment"
            f"<br>{segment.block.kept_mib:+.1f} MiB kept<extra></extra>",
        )
        for segment in segments
    ]
    layout = _layout(18 * len(segments) + _AXIS, "MiB at the block's worst moment, weights and all")
    layout["yaxis"] |= {"tickfont": {"size": 11}, "dtick": 1}
    return {"data": traces, "layout": layout}


def _drawn(intervals: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    steps = sorted({s.step for s in intervals})[:MOST_STEPS]
    return [s for s in intervals if s.step in steps]


def _segments(blocks: Sequence[Block]) -> list[_Segment]:
    """Blocks in order with their colour; earlier blocks of a pass are lighter."""
    names = [block.name for block in blocks]
    return [
        _Segment(block, block.name.partition("/")[2] or block.name, css(colour), css(text_on(colour)))
        for block, colour in zip(blocks, shades(names), strict=True)
    ]


def _bar(segment: _Segment, **what: Any) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "marker": {"color": segment.colour},
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"color": segment.text},
        "name": escape(segment.block.name),
        **what,
    }


def _layout(height: int, axis: str) -> dict[str, Any]:
    return {
        "barmode": "stack",
        "bargap": 0.18,
        "height": height,
        "showlegend": False,
        "dragmode": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "margin": {"l": 8, "r": 12, "t": 4, "b": 44},
        "uniformtext": {"mode": "hide", "minsize": 10},
        "xaxis": {"title": {"text": axis}, "rangemode": "tozero", "fixedrange": True, "zeroline": False},
        "yaxis": {"autorange": "reversed", "automargin": True, "fixedrange": True, "showgrid": False},
    }


def _hover(block: Block) -> str:
    median = block.median_ms
    lines = [
        f"<b>{escape(block.name)}</b>",
        f"{block.time.median_ms:.3f} ms, {block.time.share:.1%} of the step",
        f"95 %: {median.low:.3f} to {median.high:.3f} ms",
    ]
    if block.of_ceiling is not None:
        lines.append(f"{block.of_ceiling:.0%} of this machine's ceiling")
    return "<br>".join(lines) + "<extra></extra>"


def _cells(block: Block) -> dict[str, _Cell]:
    """The cells of a table row after its heading: the text, and the value to sort by."""
    time, has_operations = block.time, bool(block.operations)
    return {
        "ms": _cell(time.median_ms, ".3f"),
        "95 % interval": _Cell(f"{block.median_ms.low:.3f}–{block.median_ms.high:.3f}", block.median_ms.low),
        "IQR": _Cell(f"{time.q1_ms:.3f}–{time.q3_ms:.3f}", time.q3_ms - time.q1_ms),
        "p95": _cell(time.p95_ms, ".3f"),
        "share": _cell(time.share, ".1%"),
        "kept MiB": _cell(block.kept_mib if has_operations else None, "+.1f"),
        "peak MiB": _cell(block.peak_mib if has_operations else None, ".1f"),
        "moved MiB": _cell(block.moved_mib if has_operations else None, ".1f"),
        "operations": _cell(block.operations or None, "d"),
        "GMACs": _cell(block.gmacs or None, ".3f"),
        "GFLOP/s": _cell(block.gflops, ".0f"),
        "GB/s": _cell(block.gigabytes, ".1f"),
        "of ceiling": _cell(block.of_ceiling, ".0%"),
    }


def _cell(value: float | None, form: str) -> _Cell:
    return _Cell("", None) if value is None else _Cell(format(value, form), value)
