"""Parts too small to say anything: inspection and audit both ask here."""

from __future__ import annotations

from bench.core.finding import Fault, Finding, conclude
from bench.data.source import Source
from bench.data.split import FRACTIONS

FEW = 8
"""Quartets that every part should have."""


def few_quartets(source: Source) -> list[Fault]:
    """A fault for the parts of a source that have next to no quartets; none for endless parts."""
    counts = {part: source.count(part) for part in FRACTIONS}
    few = [f"{part} has {count}" for part, count in counts.items() if count is not None and count < FEW]
    if not few:
        return []
    left_out = int(source.describe().get("left_out") or 0)
    why = f"; the split leaves {left_out:,} out" if left_out else ""
    way = "share one pool, which leaves none out: --split unseen-bg or unseen-fg; or add" if left_out else "add"
    advice = f"{way} pictures, or test on each fold in turn: --split kfold[n=5,fold=0]"
    return [Fault("warn", f"of {FEW} quartets that a part should have at least, {', '.join(few)}{why}", advice)]


def part_sizes(source: Source) -> Finding:
    """Whether every part has quartets enough for a score of it to mean anything."""
    return conclude("parts", few_quartets(source), f"every part has {FEW} quartets at least")
