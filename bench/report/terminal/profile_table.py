"""A profile as tables for the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from bench.core.record.timings import HOST_BOUND
from bench.profile.block import Block
from bench.profile.profile import Profile
from bench.profile.windows.interleaved import StepComparison
from bench.report.pictures.bars import bar
from bench.report.terminal.figure_table import FigureTable

_WIDE = 110
_IN_CACHE = 1.05
_BAR, _SHORT_BAR = 16, 8
_ALWAYS = ("block", "ms", "share", "", "kept MiB", "of ceiling")


def profile_table(profile: Profile, width: int) -> Group:
    """A row per block, and below them the totals and how reliable the figures are.

    Args:
        profile: what was measured.
        width: of the terminal in columns; under 110 some figures are left out (all are in the JSON).
    """
    widest = max(block.time.share for block in profile.blocks)
    rows = [_cells(block, widest, _BAR if width >= _WIDE else _SHORT_BAR) for block in profile.blocks]
    shown = [name for name in rows[0] if width >= _WIDE or name in _ALWAYS]
    table = FigureTable(shown[:1], shown[1:])
    table.columns[shown.index("")].justify = "left"  # bars start at one line
    for row in rows:
        table.add(*(row[name] for name in shown))
    return Group(Text(_headline(profile), style="bold"), table, Text(_validation(profile)), Text(verdict(profile)))


def step_comparison_table(comparison: StepComparison) -> Group:
    """A row per side, and which is faster."""
    table = FigureTable(("what",), ("ms a step", "compile s"))
    for row in comparison.rows():
        table.add(*row)
    return Group(table, Text(comparison.sentence()))


def verdict(profile: Profile) -> str:
    """Step time, peak memory, closure, perturbation, and whether to trust them; in a few lines."""
    step, off = profile.step_ms, profile.perturbation
    lines = [
        f"step {step.value:.2f} ms ({step.low:.2f} to {step.high:.2f}), {profile.images_per_second:.0f} images/s, "
        f"peak {profile.peak_mib:.0f} MiB; this machine's best: {profile.ceiling.gflops:.0f} GFLOP/s, "
        f"{profile.ceiling.gigabytes:.0f} GB/s",
        f"closure {profile.closure:.2%}, perturbation {off.value - 1:+.2%} ({off.low - 1:+.2%} to {off.high - 1:+.2%}"
        f"{_by_the_wall_clock(profile)}); {profile.steps} steps in "
        f"{profile.rounds} rounds of A B B A, {profile.restarts} restarts, after {profile.warm_up.seconds:.0f} s of "
        "warm-up",
        profile.discarded.sentence().replace("measurements", "rounds"),
        "backward: intervals on the critical path, from a block's gradient to that of the next",
    ]
    if any((block.of_ceiling or 0) > _IN_CACHE for block in profile.blocks):
        lines.append(
            "over 100 % of the ceiling: the data stayed in caches, which are faster than the memory of the ceiling"
        )
    if profile.host_bound:
        lines.append(f"{HOST_BOUND} (a graph launches at once)")
    if profile.compile_seconds is not None:
        lines.insert(
            1,
            f"{profile.engine}: {profile.compile_seconds:.1f} s to compile or capture; losses of the first steps are "
            f"within {profile.departure:.1e} of eager's, whose own depend on rounding by {profile.rounding_spread:.1e}",
        )
    if profile.agreement is not None:
        lines.append(profile.agreement.sentence())
    lines += [f"not trustworthy: {caveat}" for caveat in profile.caveats] or ["trustworthy"]
    return "\n".join(lines)


def _by_the_wall_clock(profile: Profile) -> str:
    """The perturbation in wall-clock time on a CPU, where the other figure is processor time; empty on a GPU."""
    if profile.environment.cuda is not None:
        return ""
    wall = profile.wall_perturbation
    return f" of processor time, {wall.value - 1:+.2%} ({wall.low - 1:+.2%} to {wall.high - 1:+.2%}) by the wall clock"


def _validation(profile: Profile) -> str:
    """The time of a validation batch by block; a training step computes no metrics."""
    parts = (f"{name} {time.median_ms:.2f}" for name, time in profile.validation.items())
    copied = "" if profile.h2d_raw_ms is None else f"h2d: {profile.h2d_raw_ms:.2f} ms raw, on a stream of its own\n"
    return f"{copied}validation, ms a batch (no part of the step): {', '.join(parts)}"


def _headline(profile: Profile) -> str:
    spec = profile.spec
    return (
        f"{spec.model}, {spec.recipe}; batch {profile.batch} at {profile.size} px, {_precision(profile)}, "
        f"{profile.engine}; {profile.environment.label}"
    )


def _precision(profile: Profile) -> str:
    """Precision and memory format; on a GPU it names which kind of float32."""
    label = profile.spec.precision_label
    return label if profile.environment.cuda is None else label.replace("float32", "IEEE float32")


def _cells(block: Block, widest: float, length: int) -> dict[str, str]:
    time = block.time
    return {
        "block": block.name,
        "ms": f"{time.median_ms:.2f}",
        "IQR": f"{time.q1_ms:.2f}-{time.q3_ms:.2f}",
        "p95": f"{time.p95_ms:.2f}",
        "share": f"{time.share:.1%}",
        "": bar(time.share / widest, length),
        "kept MiB": f"{block.kept_mib:+.1f}" if block.operations else "",
        "peak MiB": f"{block.peak_mib:.1f}" if block.operations else "",
        "GMACs": f"{block.gmacs:.3f}" if block.gmacs else "",
        "GFLOP/s": f"{block.gflops:.0f}" if block.gflops else "",
        "GB/s": f"{block.gigabytes:.1f}" if block.gigabytes else "",
        "of ceiling": f"{block.of_ceiling:.0%}" if block.of_ceiling else "",
    }
