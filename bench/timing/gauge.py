"""`Gauge`: the interface of what watches the load of the machine while windows of steps are timed."""

from __future__ import annotations

from typing import Protocol


class GaugeResult(Protocol):
    """The result of a gauge for a window; it may also have the share of the cores that ``others`` took."""

    @property
    def disturbed(self) -> str | None:
        """By what the window was disturbed; None if nothing suggests that it was."""
        ...


class Gauge(Protocol):
    """Watches what others do to the machine in the meantime, such as `bench.profile.disturbance.monitor`."""

    def begin(self) -> None:
        """Begin a window."""
        ...

    def end(self) -> GaugeResult:
        """End it, and return what was measured."""
        ...
