"""A CPU's windows by the kernel's own counters: did the hypervisor or other processes disturb them?

Sources: proc(5) and the kernel's accounting/psi.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.profile.disturbance.observation import Observation, UnobservedError

STOLEN = 0.02
"""Share of the cores' time that the hypervisor may keep."""
CROWDED = 0.10
"""Share of the cores' time that other processes may take."""
WAITED = 0.02
"""Share of a window in which some thread may wait for a core."""

# Columns of the first line of /proc/stat, in ticks; guests' time is in user and nice already.
_BUSY, _STEAL = (0, 1, 2, 5, 6), 7
_BUSY_ERROR, _STEAL_ERROR = 2, 1  # ticks: the counters are rounded down, user and system each
_HEAD = 512  # bytes of a counter file that are enough


@dataclass(frozen=True)
class ProcessorObservation(Observation):
    """What the kernel counted, as shares of the time of all cores; None where it does not count.

    Attributes:
        stolen: kept by the hypervisor.
        others: taken by other processes, children of this process among them.
        stolen_error, others_error: how far these may be off, as the kernel counts in ticks (mostly of 10 ms): in a
            window of 50 ms on 2 cores others must take 30 % to be certain, in a window of 0.5 s 12 %.
        waited: share of the window in which some thread, of this process or not, waited for a core.
    """

    stolen: float | None = None
    others: float | None = None
    stolen_error: float = 0.0
    others_error: float = 0.0
    waited: float | None = None

    @property
    def disturbed(self) -> str | None:
        """Steal above 2 %, or others above 10 % while tasks waited for a core; each by more than its error."""
        if self.stolen is not None and self.stolen - self.stolen_error > STOLEN:
            return "time stolen by the hypervisor"
        waited = self.waited is None or self.waited > WAITED  # on a core that was free, others disturb nobody
        if self.others is not None and self.others - self.others_error > CROWDED and waited:
            return "load of other processes"
        return None


class ProcessorGauge:
    """Ticks from /proc/stat, and the time tasks waited from /proc/pressure/cpu where the kernel has it.

    Args:
        proc: where the counters are.
        own_seconds: processor time of this process, all its threads together.

    Raises:
        UnobservedError: the kernel has no counters of all cores, or none of steal.
    """

    def __init__(self, proc: Path, own_seconds: Callable[[], float]) -> None:
        try:
            self._stat = _CounterFile(proc / "stat")
            self._ticks()
        except (OSError, ValueError):
            raise UnobservedError(f"this system does not count processor time in {proc}/stat") from None
        self._pressure: _CounterFile | None = None
        try:
            self._pressure = _CounterFile(proc / "pressure" / "cpu")
            self._waited()
        except (OSError, LookupError, ValueError):  # a kernel may have the file and refuse to count
            self._pressure = None
        self._own = own_seconds
        self._cores, self._tick = os.cpu_count() or 1, 1 / os.sysconf("SC_CLK_TCK")
        self.begin()

    def begin(self) -> None:
        """A window begins."""
        self._before = self._ticks(), self._waited(), self._own()

    def sample(self) -> None:
        """Nothing to do: counters miss nothing."""

    def end(self, seconds: float) -> ProcessorObservation:
        """The window ends, and was so many seconds long: what was counted in it."""
        own, (ticks, waited) = self._own(), (self._ticks(), self._waited())
        ticks_before, waited_before, own_before = self._before
        spent = [self._tick * (after - before) for after, before in zip(ticks, ticks_before, strict=True)]
        whole = self._cores * max(seconds, 1e-9)
        others = sum(spent[i] for i in _BUSY) - (own - own_before)
        return ProcessorObservation(
            seconds,
            stolen=spent[_STEAL] / whole,
            others=max(0.0, others) / whole,
            stolen_error=_STEAL_ERROR * self._tick / whole,
            others_error=_BUSY_ERROR * self._tick / whole,
            waited=None if waited is None or waited_before is None else (waited - waited_before) / max(seconds, 1e-9),
        )

    def _ticks(self) -> list[int]:
        """The columns up to steal, of all cores together."""
        name, *columns = self._stat.head().split(b"\n", 1)[0].split()
        if name != b"cpu" or len(columns) <= _STEAL:
            raise ValueError("no line of all cores, or no steal in it")
        return [int(x) for x in columns[: _STEAL + 1]]

    def _waited(self) -> float | None:
        """Seconds since the start of the system in which some thread waited for a core."""
        if self._pressure is None:
            return None
        return int(self._pressure.head().split(b"total=", 1)[1].split(None, 1)[0]) / 1e6


class _CounterFile:
    """A file of the kernel's that is read again and again; opening it each time would cost as much as observation."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)

    def head(self) -> bytes:
        return os.pread(self._descriptor, _HEAD, 0)
