"""What this machine can do at best, measured: a matrix product and a copy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict

_SIDE = {"cpu": 1024, "cuda": 8192}
_COPY_MIB = {"cpu": 256, "cuda": 2048}
_REPEATS = 8
_LEFT_OUT = 2


class Ceiling(BaseModel):
    """The most that this machine does: GFLOP/s of a square matrix product, GB/s read and written by a copy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gflops: float
    gigabytes: float


def measure_ceiling(device: torch.device, precision: torch.dtype) -> Ceiling:
    """Measure both, with torch's current number of threads; takes about a second."""
    return Ceiling(gflops=product_rate(device, precision), gigabytes=copy_rate(device))


def product_rate(device: torch.device, precision: torch.dtype) -> float:
    """GFLOP/s of a square matrix product."""
    side = _SIDE[device.type]
    x = torch.randn(side, side, device=device, dtype=precision)
    return 2 * side**3 / _seconds(lambda: x @ x, device) / 1e9


def copy_rate(device: torch.device) -> float:
    """GB/s read and written together, by a copy within the device's memory."""
    x = torch.zeros(_COPY_MIB[device.type] * 2**20, dtype=torch.uint8, device=device)
    y = torch.empty_like(x)
    return 2 * x.numel() / _seconds(lambda: y.copy_(x), device) / 1e9


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Median time of some work after a warm-up."""
    times = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[_LEFT_OUT:])
