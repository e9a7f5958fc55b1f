"""From windows to numbers: rates from plain windows, shares from instrumented windows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import torch

from bench.core.record.timings import BlockTime, Timings
from bench.timing.window import Window


def summarise_windows(windows: Sequence[Window]) -> Timings:
    """Sum windows up; the first window of a tag warms up and is left out if more than two have that tag."""
    settled = _settled(windows)
    plain = undisturbed([w for w in settled if w.blocks is None])
    marked = marked_windows(windows)
    measured = plain or marked
    rate = statistics.median(w.images / w.seconds for w in measured) if measured else None
    step = statistics.median(1e3 * w.seconds / w.steps for w in measured) if measured else None
    blocks, closure = block_times(marked)
    return Timings(
        steps=sum(w.steps for w in windows),
        seconds=sum(w.seconds for w in windows),
        images_per_second=rate,
        step_ms=step,
        blocks=blocks,
        closure=closure,
        perturbation=_perturbation(settled),
    )


def marked_windows(windows: Sequence[Window]) -> Sequence[Window]:
    """The windows whose blocks `summarise_windows` sums up."""
    return undisturbed([w for w in _settled(windows) if w.blocks])


def host_bound(windows: Sequence[Window], device: torch.device) -> bool:
    """Whether most windows left the device with nothing to do at their end; never on a CPU."""
    return device.type == "cuda" and 2 * sum(w.host_bound for w in windows) > len(windows)


def _settled(windows: Sequence[Window]) -> Sequence[Window]:
    last = [w for w in windows if w.tag == windows[-1].tag]
    return last[1:] if len(last) > 2 else last


def undisturbed(windows: Sequence[Window]) -> Sequence[Window]:
    """The windows that were not disturbed; all of them if every window was."""
    return [w for w in windows if w.disturbed is None] or windows


def block_times(marked: Sequence[Window]) -> tuple[dict[str, BlockTime], float | None]:
    """Every block of instrumented windows, with the rest as ``unattributed``; and the share that has a name.

    Shares are of the windows' wall-clock time, so that what lies between two steps is unattributed as well.
    """
    if not marked:
        return {}, None
    rows = block_rows(marked)
    whole = sum(1e3 * w.seconds for w in marked)
    blocks = {name: _block_time(row, whole) for name, row in rows.items()}
    return blocks, 1.0 - blocks["unattributed"].share


def block_rows(marked: Sequence[Window]) -> dict[str, list[float]]:
    """Milliseconds of every step by block, all windows in a row, with the rest as ``unattributed``."""
    names = dict.fromkeys(name for w in marked for name in w.blocks or () if name != "step")
    rows = {name: [ms for w in marked for ms in (w.blocks or {}).get(name, [0.0] * w.steps)] for name in names}
    steps = [ms + _between_steps(w) for w in marked for ms in (w.blocks or {})["step"]]
    rows["unattributed"] = [step - sum(row[i] for row in rows.values()) for i, step in enumerate(steps)]
    return rows


def _between_steps(window: Window) -> float:
    return (1e3 * window.seconds - sum((window.blocks or {})["step"])) / window.steps


def _block_time(row: Sequence[float], whole: float) -> BlockTime:
    q1, median, q3 = statistics.quantiles(row, n=4, method="inclusive") if len(row) > 1 else [row[0]] * 3
    p95 = statistics.quantiles(row, n=20, method="inclusive")[-1] if len(row) > 1 else row[0]
    return BlockTime(median_ms=median, q1_ms=q1, q3_ms=q3, p95_ms=p95, share=sum(row) / whole)


def _perturbation(windows: Sequence[Window]) -> float | None:
    """Median ratio of an instrumented window's step time to the mean of its plain neighbours'."""
    ratios = []
    for before, middle, after in zip(windows, windows[1:], windows[2:], strict=False):
        calm = before.disturbed is middle.disturbed is after.disturbed is None
        alike = calm and middle.engine == before.engine
        if alike and middle.blocks and not before.blocks and not after.blocks:
            plain = (before.seconds / before.steps + after.seconds / after.steps) / 2
            ratios.append(middle.seconds / middle.steps / plain)
    return statistics.median(ratios) if ratios else None
