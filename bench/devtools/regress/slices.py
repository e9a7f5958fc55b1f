"""A pytest plugin that runs each benchmark in slices, a slice on each command.

`lockstep`, beside it, starts pytest with this plugin in each of two checkouts and gives them turns, so that
both revisions meet the same moments of a noisy machine. It stands alone, as it is copied beside either checkout:
nothing of this project is imported. It speaks in JSON lines over two pipes. Out: ``{"tests": [id, ...]}`` first,
``{"test": id}`` when a benchmark is ready, ``{"seconds": s}`` for a slice. In: the ids to keep first, then ``"go"``
(run a slice) and ``"next"`` (done with this benchmark).
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

_SLICE_SECONDS = float(os.environ.get("TURNS_SLICE", "0.1"))
_read = os.fdopen(int(os.environ["TURNS_IN"]), "r")
_write = os.fdopen(int(os.environ["TURNS_OUT"]), "w")
if hasattr(
    os, "sched_setaffinity"
):  # both on the same core, as they never run at once: to wander between cores is noise
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _say(message: dict[str, Any]) -> None:
    _write.write(json.dumps(message) + "\n")
    _write.flush()


@pytest.fixture
def benchmark(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Stands in for pytest-benchmark's fixture: calls the function whenever it is this revision's turn."""

    def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Time the function in slices, whenever it is this revision's turn."""
        result = function(*args, **kwargs)  # warms up
        _say({"test": request.node.nodeid})
        while json.loads(_read.readline()) == "go":
            times: list[float] = []
            while sum(times) < _SLICE_SECONDS:
                began = time.perf_counter()
                function(*args, **kwargs)
                times.append(time.perf_counter() - began)
            _say({"seconds": statistics.median(times)})
        return result

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """List the benchmarks, and keep those that are wanted; those that compare by themselves do not count."""
    _say({"tests": [item.nodeid for item in items if item.get_closest_marker("ratio") is None]})
    wanted = set(json.loads(_read.readline()))
    items[:] = [item for item in items if item.nodeid in wanted]


def pytest_sessionfinish(exitstatus: int) -> None:
    """Report that no benchmark is left, and how they went."""
    _say({"test": None, "status": int(exitstatus)})
