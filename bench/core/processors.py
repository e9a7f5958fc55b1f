"""How many processors this process may use."""

from __future__ import annotations

import os


def usable_processors() -> int:
    """Processors that this process may run on; all of the machine's on systems without affinity (macOS, Windows)."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def load_average() -> float | None:
    """Processes that wanted to run over the last minute, on average; None where the system does not count them."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows; some containers
        return None
