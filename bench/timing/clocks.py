"""The clock sentinel: was a window of steps disturbed by heat, by the hypervisor or by others?

On CUDA NVML is asked (package nvidia-ml-py), on a CPU the kernel's own counters. Neither waits for the device.
What cannot be seen is said (`Reading.blind`), never guessed, and only what certainly happened disturbs a window.

Sources: NVIDIA's NVML reference (clocks event reasons); nvbench, which discards what ran below 75 % of the default
clock; proc(5) and the kernel's accounting/psi for the counters.
"""

from __future__ import annotations

import os
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from pydantic import BaseModel, ConfigDict

T = TypeVar("T")

SLOW_CLOCK = 0.75
"""Share of the default SM clock below which a window is discarded; nvbench's default."""
STOLEN = 0.02
"""Share of the cores' time that the hypervisor may keep."""
CROWDED = 0.10
"""Share of the cores' time that other processes may take."""

WAITED = 0.02
"""Share of a window in which some thread may wait for a core."""

# NVML's clocks event reasons; the names of the constants changed with the driver, the bits did not.
_IDLE, _POWER_CAP = 0x1, 0x4
_HARDWARE = 0x8 | 0x80  # slowdown, power brake
_THERMAL = 0x20 | 0x40  # by software, by hardware
_SM, _DIE = 1, 0  # NVML_CLOCK_SM, NVML_TEMPERATURE_GPU

# Columns of the first line of /proc/stat, in ticks; guests' time is in user and nice already.
_BUSY, _STEAL = (0, 1, 2, 5, 6), 7
_BUSY_ERROR, _STEAL_ERROR = 2, 1  # ticks: the counters are rounded down, user and system each
_HEAD = 512  # bytes of a counter file that are enough


@dataclass(frozen=True)
class Reading:
    """What was seen in one window.

    Attributes:
        seconds: how long it was.
        blind: why nothing could be seen; None where something was.
    """

    seconds: float
    blind: str | None = None

    @property
    def disturbed(self) -> str | None:
        """Why the window should be discarded; None where there is no reason to. The figures are in the fields."""
        return None


@dataclass(frozen=True)
class GpuReading(Reading):
    """What NVML said; None for what this GPU, or this user, is not told.

    Attributes:
        sm_mhz: the lowest SM clock seen while the GPU was at work.
        default_mhz: its default application clock, or where there is none its highest one.
        temperature: of the die, degrees Celsius.
        watts: drawn.
        thermal, hardware: clocks were held down by heat; by the hardware's protection or a power brake.
        power_capped: clocks were held down by the power limit, as is normal in training.
        others: processes that compute on this GPU beside this one.
    """

    sm_mhz: int | None = None
    default_mhz: int | None = None
    temperature: int | None = None
    watts: float | None = None
    thermal: bool = False
    hardware: bool = False
    power_capped: bool = False
    others: int | None = None

    @property
    def disturbed(self) -> str | None:
        """Heat, the hardware's protection, or a clock under 75 % of the default."""
        if self.thermal:
            return "thermal throttling"
        if self.hardware:
            return "hardware slowdown"
        if self.sm_mhz is not None and self.default_mhz and self.sm_mhz < SLOW_CLOCK * self.default_mhz:
            cause = " by the power limit" if self.power_capped else ""
            return f"SM clock under {SLOW_CLOCK:.0%} of default{cause}"
        return None


@dataclass(frozen=True)
class ProcessorReading(Reading):
    """What the kernel counted, as shares of the time of all cores; None where it does not count.

    Attributes:
        stolen: kept by the hypervisor.
        others: taken by other processes, this one's children among them.
        stolen_error, others_error: how far these may be off, as the kernel counts in ticks (mostly of 10 ms): in a
            window of 50 ms on 2 cores others must take 30 % to be told for certain, in one of 0.5 s 12 %.
        waited: share of the window in which some thread, of this process or not, waited for a core.
    """

    stolen: float | None = None
    others: float | None = None
    stolen_error: float = 0.0
    others_error: float = 0.0
    waited: float | None = None

    @property
    def disturbed(self) -> str | None:
        """Steal above 2 %, or others above 10 % while somebody waited for a core; each by more than its error."""
        if self.stolen is not None and self.stolen - self.stolen_error > STOLEN:
            return "time stolen by the hypervisor"
        waited = self.waited is None or self.waited > WAITED  # on a core that was free, others disturb nobody
        if self.others is not None and self.others - self.others_error > CROWDED and waited:
            return "load of other processes"
        return None


class Discards(BaseModel):
    """What became of a number of windows.

    Attributes:
        count: windows discarded.
        kept: windows kept.
        reasons: how many were discarded for what, the most frequent first.
        blind: why windows could not be watched; None where all were.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    kept: int
    reasons: dict[str, int]
    blind: str | None = None

    def sentence(self) -> str:
        """In words."""
        if self.blind is not None and not self.count:
            return f"disturbances not watched for: {self.blind}"
        why = ", ".join(f"{reason} ({count})" for reason, count in self.reasons.items())
        return f"{self.count} of {self.count + self.kept} measurements discarded" + (f": {why}" if why else "")


def discards(readings: Iterable[Reading]) -> Discards:
    """Count the readings that say a window was disturbed, by reason."""
    seen = [*readings]
    reasons = Counter(reason for reading in seen if (reason := reading.disturbed) is not None)
    count = reasons.total()
    blind = next((reading.blind for reading in seen if reading.blind is not None), None)
    return Discards(count=count, kept=len(seen) - count, reasons=dict(reasons.most_common()), blind=blind)


class _Gauge(Protocol):
    def begin(self) -> None: ...

    def look(self) -> None: ...

    def end(self, seconds: float) -> Reading: ...


class ClockSampler:
    """Watches a device window by window.

    >>> sampler = ClockSampler(torch.device("cpu"))
    >>> sampler.begin()
    >>> sampler.end().disturbed in (None, "time stolen by the hypervisor", "load of other processes")
    True

    On a GPU `end`, or a `look` before it, belongs before the window's synchronisation: after it the GPU is idle, and
    an idle GPU's clock says nothing of the window.

    Args:
        device: where the work runs.
        nvml: to be asked in place of the installed ``pynvml``.
        proc: where the kernel's counters are.
        own_seconds: processor time of this process, all its threads together.
        clock: seconds by the wall clock.
    """

    def __init__(
        self,
        device: torch.device,
        nvml: Any = None,
        proc: Path = Path("/proc"),
        own_seconds: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._gauge: _Gauge
        try:
            self._gauge = _Gpu(device, nvml) if device.type == "cuda" else _Processor(proc, own_seconds)
        except _BlindError as error:
            self._gauge = _Nothing(str(error))
        self._began = clock()

    def begin(self) -> None:
        """A window begins."""
        self._gauge.begin()
        self._began = self._clock()

    def look(self) -> None:
        """Look at the GPU within a window, while it is at work; does nothing on a CPU, whose counters miss nothing."""
        self._gauge.look()

    def end(self) -> Reading:
        """The window ends: what was seen in it."""
        return self._gauge.end(self._clock() - self._began)


class _BlindError(Exception):
    """Nothing can be seen, and why."""


class _Nothing:
    def __init__(self, reason: str) -> None:
        self._reason = reason

    def begin(self) -> None:
        pass

    def look(self) -> None:
        pass

    def end(self, seconds: float) -> Reading:
        return Reading(seconds, blind=self._reason)


class _CounterFile:
    """A file of the kernel's that is read again and again; opening it each time would cost as much as reading."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)

    def head(self) -> bytes:
        return os.pread(self._descriptor, _HEAD, 0)


class _Processor:
    """Ticks from /proc/stat, and the time somebody waited from /proc/pressure/cpu where the kernel has it."""

    def __init__(self, proc: Path, own_seconds: Callable[[], float]) -> None:
        try:
            self._stat = _CounterFile(proc / "stat")
            self._ticks()
        except (OSError, ValueError):
            raise _BlindError(f"this system does not count processor time in {proc}/stat") from None
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
        self._before = self._ticks(), self._waited(), self._own()

    def look(self) -> None:
        pass

    def end(self, seconds: float) -> ProcessorReading:
        own, (ticks, waited) = self._own(), (self._ticks(), self._waited())
        ticks_before, waited_before, own_before = self._before
        spent = [self._tick * (after - before) for after, before in zip(ticks, ticks_before, strict=True)]
        whole = self._cores * max(seconds, 1e-9)
        others = sum(spent[i] for i in _BUSY) - (own - own_before)
        return ProcessorReading(
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


class _Gpu:
    """NVML, asked at each look; its handle is kept."""

    def __init__(self, device: torch.device, nvml: Any) -> None:
        try:
            self._nvml = nvml if nvml is not None else import_module("pynvml")
        except ImportError:
            raise _BlindError("clocks are read by nvidia-ml-py: pip install 'maskdepth-bench[gpu]'") from None
        try:
            self._nvml.nvmlInit()
            self._handle = self._find(_uuid(device))
        except self._nvml.NVMLError as error:
            raise _BlindError(f"NVML: {error}") from None
        self._reasons = getattr(self._nvml, "nvmlDeviceGetCurrentClocksEventReasons", None) or (
            self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons
        )
        self._default = self._ask(self._nvml.nvmlDeviceGetDefaultApplicationsClock, _SM) or self._ask(
            self._nvml.nvmlDeviceGetMaxClockInfo, _SM
        )
        if self._ask(self._nvml.nvmlDeviceGetClockInfo, _SM) is None and self._ask(self._reasons) is None:
            raise _BlindError("NVML tells neither clocks nor throttling of this device")
        self.begin()

    def begin(self) -> None:
        self._clocks: list[int] = []
        self._held, self._busy = 0, False

    def look(self) -> None:
        reasons = self._ask(self._reasons) or 0
        if reasons & _IDLE:
            return
        self._held, self._busy = self._held | reasons, True
        mhz = self._ask(self._nvml.nvmlDeviceGetClockInfo, _SM)
        if mhz is not None:
            self._clocks.append(mhz)

    def end(self, seconds: float) -> GpuReading:
        self.look()
        milliwatts = self._ask(self._nvml.nvmlDeviceGetPowerUsage)
        return GpuReading(
            seconds,
            blind=None if self._busy else "the GPU was idle whenever it was looked at",
            sm_mhz=min(self._clocks, default=None),
            default_mhz=self._default,
            temperature=self._ask(self._nvml.nvmlDeviceGetTemperature, _DIE),
            watts=None if milliwatts is None else milliwatts / 1e3,
            thermal=bool(self._held & _THERMAL),
            hardware=bool(self._held & _HARDWARE),
            power_capped=bool(self._held & _POWER_CAP),
            others=self._others(),
        )

    def _others(self) -> int | None:
        """Processes beside this one, which is one of them: by number it cannot be told from others in a container."""
        running = self._ask(self._nvml.nvmlDeviceGetComputeRunningProcesses)
        return None if running is None else max(0, len(running) - 1)

    def _find(self, uuid: str) -> Any:
        """By its UUID, as CUDA_VISIBLE_DEVICES renumbers devices; a slice of a GPU has a prefix of its own."""
        with suppress(self._nvml.NVMLError):
            return self._nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        return self._nvml.nvmlDeviceGetHandleByUUID(f"MIG-{uuid}")

    def _ask(self, query: Callable[..., T], *what: int) -> T | None:
        try:
            return query(self._handle, *what)
        except self._nvml.NVMLError:
            return None


def _uuid(device: torch.device) -> str:
    return str(torch.cuda.get_device_properties(device).uuid)
