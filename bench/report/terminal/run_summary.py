"""A summary of a finished run for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.core.record import Record
from bench.metrics.summary import skill
from bench.results.metric_facts import facts_in, shown


def result_lines(record: Record, path: Path, runs: Path, made: bool, baselines: Sequence[Record]) -> str:
    """Outcome, test metrics with their skill over the baselines, rate, and the files to look at.

    Args:
        record: of the run.
        path: its file.
        runs: folder of pictures.
        made: whether the run was made now, or its record was found.
        baselines: records of those that learn nothing.
    """
    if record.outcome != "finished":
        return f"  {record.outcome}: {record.reason}\n  {path}"
    scores = []
    known = facts_in([record])
    for name in shown(known, "compared"):
        score = record.test.get(name)
        if score is None or score.value is None:
            continue
        baseline_values = [s.value for other in baselines if (s := other.test.get(name)) and s.value is not None]
        gained = skill(score.value, baseline_values, known[name]) if record.spec.recipe else None
        scores.append(f"{name} {score.value:.4f}" + (f" (skill {gained:+.2f})" if gained is not None else ""))
    lines = ["  test: " + "  ".join(scores)] if scores else []
    rate = record.timings.images_per_second
    pace = f"{rate:.0f} images/s, " if rate else ""
    lines.append(f"  {pace}{record.seconds:.0f} s, peak {record.peak_mib:.0f} MiB, {record.parameters:,} parameters")
    if made:
        lines.append(f"  {path}  {runs / record.id / 'predictions.png'}")
    else:
        lines.append(f"  {record.spec.model}: already run on this machine with this code: {path} (--again repeats it)")
    return "\n".join(lines)
