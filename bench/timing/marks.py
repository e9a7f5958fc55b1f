"""Moments on the time line of the host or of a CUDA stream, and the blocks between them."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Protocol

import torch


class Mark(Protocol):
    """A moment on the device's own time line."""

    def milliseconds_to(self, later: Any) -> float:
        """Time from this mark to a later one; only after the window's synchronisation."""
        ...


class Recorder(Protocol):
    """Whoever takes marks at the boundaries of blocks: of time, of memory, of arithmetic."""

    def mark(self) -> Any:
        """What the quantity is now."""
        ...

    def add(self, name: str, begin: Any, end: Any) -> None:
        """A block ran between two marks."""
        ...


class HostMark:
    """A moment on the host's monotonic clock."""

    __slots__ = ("ns",)

    def __init__(self) -> None:
        self.ns = time.perf_counter_ns()

    def milliseconds_to(self, later: HostMark) -> float:
        """Time from this mark to a later one."""
        return (later.ns - self.ns) / 1e6


class StreamMark:
    """A CUDA event with timing; recorded on a stream by `StreamMarks`."""

    __slots__ = ("event",)

    def __init__(self) -> None:
        self.event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    def milliseconds_to(self, later: StreamMark) -> float:
        """Time from this event to a later one; both must have happened."""
        return float(self.event.elapsed_time(later.event))


class StreamMarks:
    """A ring of events, as making an event costs more than recording it; `rewind` when the last window was read.

    Args:
        device: whose current stream, at the beginning of a window, all marks of the window are recorded on.
    """

    def __init__(self, device: torch.device) -> None:
        self._ring: list[StreamMark] = []
        self._device = device
        self._next = 0

    def rewind(self) -> None:
        """Begin a window: events are reused from the first on, on the device's current stream."""
        self._next = 0
        self._stream = torch.cuda.current_stream(self._device)

    def __call__(self) -> StreamMark:
        """Record the next event of the ring."""
        if self._next == len(self._ring):
            self._ring.append(StreamMark())
        mark = self._ring[self._next]
        self._next += 1
        mark.event.record(self._stream)
        return mark


class MarkedBlock:
    """Context manager that marks the beginning and the end of a block with a recorder."""

    __slots__ = ("_begin", "_name", "_recorder")

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder, self._name = recorder, name

    def __enter__(self) -> None:
        self._begin = self._recorder.mark()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._recorder.add(self._name, self._begin, self._recorder.mark())
