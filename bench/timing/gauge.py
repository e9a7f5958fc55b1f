"""`Gauge`: the interface of what watches the load of the machine while windows of steps are timed."""

from __future__ import annotations

from typing import Protocol


class GaugeResult(Protocol):
    """What a gauge saw in a window; one that counts them has the share that ``others`` took of the cores too."""

    @property
    def disturbed(self) -> str | None:
        """By what the window was disturbed; None where there is no reason to think so."""
        ...


class Gauge(Protocol):
    """Watches what others do to the machine in the meantime, such as `bench.profile.disturbance.monitor`."""

    def begin(self) -> None:
        """A window begins."""
        ...

    def end(self) -> GaugeResult:
        """It ends."""
        ...
