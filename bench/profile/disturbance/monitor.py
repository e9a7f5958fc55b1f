"""The clock sentinel: was a window of steps disturbed by heat, by the hypervisor or by others?

On CUDA NVML is queried (`gpu` beside this file), on a CPU the kernel's counters (`processor`). Neither waits for the
device.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch

from bench.profile.disturbance.alongside import Alongside
from bench.profile.disturbance.gpu import GpuGauge
from bench.profile.disturbance.observation import Observation, UnobservedError
from bench.profile.disturbance.processor import ProcessorGauge


class _Gauge(Protocol):
    """What watches a kind of device."""

    def begin(self) -> None:
        """A window begins."""

    def sample(self) -> None:
        """Within the window, as often as wanted."""

    def end(self, seconds: float) -> Observation:
        """The window ends after so many seconds: what was observed in it."""


class ClockSampler:
    """Watches a device window by window.

    >>> sampler = ClockSampler(torch.device("cpu"))
    >>> sampler.begin()
    >>> sampler.end().disturbed in (None, "time stolen by the hypervisor", "load of other processes")
    True

    On a GPU a `sample` belongs where the device is at work, as an idle GPU's clock says nothing, but outside what is
    timed: NVML answers in milliseconds. So it is taken during a few more steps right after a window, or, where windows
    follow one another, by a thread.

    Args:
        device: where the work runs.
        nvml: used in place of the installed ``pynvml``.
        proc: where the kernel's counters are.
        own_seconds: processor time of this process, all its threads together.
        clock: seconds by the wall clock.
        alongside: whether a thread samples a GPU, so that nothing waits for it; `sample` then does nothing.
    """

    def __init__(
        self,
        device: torch.device,
        nvml: Any = None,
        proc: Path = Path("/proc"),
        own_seconds: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.perf_counter,
        alongside: bool = False,
    ) -> None:
        self._clock = clock
        self._gauge: _Gauge
        try:
            if device.type == "cuda":
                gpu = GpuGauge(device, nvml)
                self._gauge = Alongside(gpu) if alongside else gpu
            else:
                self._gauge = ProcessorGauge(proc, own_seconds)
        except UnobservedError as error:
            self._gauge = _Nothing(str(error))
        self._began = clock()

    def begin(self) -> None:
        """A window begins."""
        self._gauge.begin()
        self._began = self._clock()

    def sample(self) -> None:
        """Look at the GPU within a window, while it is at work; does nothing on a CPU, whose counters miss nothing."""
        self._gauge.sample()

    def end(self) -> Observation:
        """The window ends: what was observed in it."""
        return self._gauge.end(self._clock() - self._began)


class _Nothing:
    """A gauge for a device that cannot be watched, and why."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def begin(self) -> None:
        pass

    def sample(self) -> None:
        pass

    def end(self, seconds: float) -> Observation:
        return Observation(seconds, unobserved=self._reason)
