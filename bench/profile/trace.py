"""A time line as a Chrome trace, to be opened in Perfetto (ui.perfetto.dev) or chrome://tracing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.timing.ledger import STEP, TimelineEntry

_TRACKS = {"step": 0, "block": 1}


def chrome_trace(intervals: Sequence[TimelineEntry], title: str) -> dict[str, Any]:
    """Complete events in microseconds, steps and blocks on tracks of their own.

    Args:
        intervals: of a window.
        title: name of the process in the viewer.
    """
    names: list[dict[str, Any]] = [
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": tid, "args": {"name": track}}
        for track, tid in _TRACKS.items()
    ]
    names.append({"ph": "M", "name": "process_name", "pid": 1, "args": {"name": title}})
    events = [
        {
            "ph": "X",
            "name": interval.name,
            "cat": interval.name.partition("/")[0],
            "ts": 1e3 * interval.begin_ms,
            "dur": 1e3 * interval.length_ms,
            "pid": 1,
            "tid": _TRACKS["step" if interval.name == STEP else "block"],
            "args": {"step": interval.step},
        }
        for interval in sorted(intervals, key=lambda i: (i.begin_ms, -i.length_ms))
    ]
    return {"traceEvents": [*names, *events], "displayTimeUnit": "ms"}
