"""A GPU watched by a thread while steps are timed: NVML answers in milliseconds, and Python goes on meanwhile."""

from __future__ import annotations

import threading
import weakref

from bench.profile.disturbance.gpu import GpuGauge
from bench.profile.disturbance.observation import Observation

_AT_WORK = 0.02
"""Seconds from the beginning of a window to its first sample, in which the first steps reach the device."""
_EVERY = 0.2


class Alongside:
    """The same gauge, sampled by a thread from the beginning of a window to its end; neither of them asks NVML.

    Args:
        gauge: of a GPU; the thread ends when this object is gone.
    """

    def __init__(self, gauge: GpuGauge) -> None:
        self._gauge = gauge
        self._working, self._gone = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=_watch, args=(gauge, self._working, self._gone), name="NVML", daemon=True
        )
        weakref.finalize(self, _leave, self._working, self._gone)

    def begin(self) -> None:
        """A window begins; with the first of them the thread."""
        self._gauge.begin()
        self._working.set()
        if self._thread.ident is None:
            self._thread.start()

    def sample(self) -> None:
        """Nothing: the thread samples."""

    def end(self, seconds: float) -> Observation:
        """The window ends after so many seconds: what the thread observed in it."""
        self._working.clear()
        return self._gauge.observed(seconds)


def _leave(working: threading.Event, gone: threading.Event) -> None:
    gone.set()
    working.set()  # wakes a thread that has no window


def _watch(gauge: GpuGauge, working: threading.Event, gone: threading.Event) -> None:
    while working.wait() and not gone.wait(_AT_WORK):
        while working.is_set():
            gauge.sample()
            gauge.ask_the_rest()
            if gone.wait(_EVERY):
                return
