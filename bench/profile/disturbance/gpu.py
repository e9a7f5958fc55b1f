"""A GPU's windows by NVML (package nvidia-ml-py): did heat, the hardware's protection or a low clock disturb them?

Sources: NVIDIA's NVML reference (clocks event reasons); nvbench, which discards what ran below 75 % of the default
clock.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from operator import or_
from typing import Any, TypeVar

import torch

from bench.profile.disturbance.observation import Observation, UnobservedError

T = TypeVar("T")

SLOW_CLOCK = 0.75
"""Share of the default SM clock below which a window is discarded; nvbench's default."""

# NVML's clocks event reasons; the names of the constants changed with the driver, the bits did not.
_IDLE, _POWER_CAP = 0x1, 0x4
_HARDWARE = 0x8 | 0x80  # slowdown, power brake
_THERMAL = 0x20 | 0x40  # by software, by hardware
_SM, _DIE = 1, 0  # NVML_CLOCK_SM, NVML_TEMPERATURE_GPU


@dataclass(frozen=True)
class GpuObservation(Observation):
    """What NVML reported; None for what it does not report on this GPU, or to this user.

    Attributes:
        sm_mhz: the lowest SM clock while the GPU was at work.
        default_mhz: its default application clock, or its highest clock where it has no default.
        temperature: of the die, degrees Celsius.
        watts: drawn.
        thermal, hardware: clocks were held down by heat; by the hardware's protection or a power brake.
        power_capped: clocks were held down by the power limit, as is normal in training.
        others: further processes that compute on this GPU.
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


class GpuGauge:
    """NVML, queried at each sample; its handle is kept. A thread of its own may sample (`alongside` beside this file).

    Args:
        device: a CUDA device.
        nvml: used in place of the installed ``pynvml``; None for ``pynvml``.

    Raises:
        UnobservedError: the package is missing, NVML does not answer, or it tells nothing of this device.
    """

    def __init__(self, device: torch.device, nvml: Any) -> None:
        try:
            self._nvml = nvml if nvml is not None else import_module("pynvml")
        except ImportError:
            raise UnobservedError("clocks are read by nvidia-ml-py: pip install 'maskdepth-bench[gpu]'") from None
        try:
            self._nvml.nvmlInit()
            self._handle = self._find(_uuid(device))
        except self._nvml.NVMLError as error:
            raise UnobservedError(f"NVML: {error}") from None
        self._reasons = getattr(self._nvml, "nvmlDeviceGetCurrentClocksEventReasons", None) or (
            self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons
        )
        self._default = self._ask(self._nvml.nvmlDeviceGetDefaultApplicationsClock, _SM) or self._ask(
            self._nvml.nvmlDeviceGetMaxClockInfo, _SM
        )
        if self._ask(self._nvml.nvmlDeviceGetClockInfo, _SM) is None and self._ask(self._reasons) is None:
            raise UnobservedError("NVML tells neither clocks nor throttling of this device")
        self._rest: tuple[int | None, float | None, int | None] = (None, None, None)
        self.begin()

    def begin(self) -> None:
        """A window begins."""
        self._samples: list[tuple[int, int | None]] = []  # why clocks are held down, and MHz

    def sample(self) -> None:
        """Look at the GPU within a window."""
        self._samples.append((self._ask(self._reasons) or 0, self._ask(self._nvml.nvmlDeviceGetClockInfo, _SM)))

    def ask_the_rest(self) -> None:
        """What changes slowly: temperature, power, and who else computes there."""
        milliwatts = self._ask(self._nvml.nvmlDeviceGetPowerUsage)
        watts = None if milliwatts is None else milliwatts / 1e3
        self._rest = self._ask(self._nvml.nvmlDeviceGetTemperature, _DIE), watts, self._others()

    def end(self, seconds: float) -> GpuObservation:
        """The window ends after a last sample, and was so many seconds long: what was observed in it."""
        self.sample()
        self.ask_the_rest()
        return self.observed(seconds)

    def observed(self, seconds: float) -> GpuObservation:
        """What the samples of a window of so many seconds show; NVML is not queried.

        While the GPU is idle nothing is learnt of it.
        """
        samples = tuple(self._samples)  # another thread may add to them
        busy = [(reasons, mhz) for reasons, mhz in samples if not reasons & _IDLE]
        held = reduce(or_, (reasons for reasons, _ in busy), 0)
        none = "the GPU was idle at every sample" if samples else "no sample fell into so short a window"
        temperature, watts, others = self._rest
        return GpuObservation(
            seconds,
            unobserved=None if busy else none,
            sm_mhz=min((mhz for _, mhz in busy if mhz is not None), default=None),
            default_mhz=self._default,
            temperature=temperature,
            watts=watts,
            thermal=bool(held & _THERMAL),
            hardware=bool(held & _HARDWARE),
            power_capped=bool(held & _POWER_CAP),
            others=others,
        )

    def _others(self) -> int | None:
        """Further processes: this process is among those counted, and cannot be found by number in a container."""
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
