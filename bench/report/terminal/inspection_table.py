"""An inspection of data as lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from bench.core.amount import amount
from bench.data.inspection.inspection import Inspection
from bench.data.split.division import FORMER

_BARS = " ▁▂▃▄▅▆▇█"


def inspection_lines(found: Inspection) -> Iterator[str]:
    """Counts, statistics, the source's notes, and the findings with advice."""
    rule = str(found.source.get("split", ""))
    leaking = ": scores leak" if found.source.get("leaks") and not rule.startswith("unseen") else ""
    yield f"data     {found.source['kind']}, split {FORMER.get(rule, rule)}{leaking}"
    if found.source.get("camera", "still") != "still":
        yield f"         looked at before the {found.source['camera']} camera moves, exposes and compresses it"
    for note in found.notes:
        yield f"         {note}"
    for part, counts in found.parts.items():
        total = "endless quartets" if counts["quartets"] is None else amount(counts["quartets"], "quartet")
        objects = f", {amount(counts['objects'], 'object')}" if counts["objects"] else ", objects without names"
        inspected = f"{counts['looked_at']} inspected: {amount(counts['backgrounds'], 'background')}{objects}"
        yield f"{part:8} {total}, {inspected}"
    if found.sizes:
        common = sorted(found.sizes.items(), key=lambda pair: -pair[1])
        yield "sizes    " + ", ".join(f"{size} ({count})" for size, count in common[:6]) + " ..." * (len(common) > 6)
    for name, figures in found.fields.items():
        means, spreads = (" ".join(f"{value:.3f}" for value in figures[key]) for key in ("mean", "std"))
        yield f"{name:8} mean {means}, std {spreads}"
    if found.coverage is not None:
        low, few, median, many, high = (f"{value:.1%}" for value in found.coverage)
        yield f"covered  by masks: {low} least, {few} 5th percentile, {median} median, {many} 95th, {high} most"
    if found.depth is not None:
        highest = max(found.depth["histogram"]) or 1
        bars = "".join(_BARS[round(share / highest * (len(_BARS) - 1))] for share in found.depth["histogram"])
        median = "" if found.depth["median"] is None else f", median {found.depth['median']:.3f}"
        yield f"depth    0 |{bars}| 1, {found.depth['encoding']}; known {found.depth['known']:.0%}{median}"
    for finding in found.findings:
        yield f"{finding.grade:8} {finding.check}: {finding.finding}"
        if finding.advice:
            yield f"         -> {finding.advice}"
