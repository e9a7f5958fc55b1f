"""Peak memory of a run: what torch allocated on CUDA, the resident set on a CPU."""

from __future__ import annotations

import ctypes
import gc
import resource
from contextlib import suppress
from pathlib import Path

import torch

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def reset_peak(device: torch.device) -> None:
    """Let the peak begin anew; where the system cannot (a CPU outside Linux), it stays the process's.

    On a CPU, memory that an earlier run freed is handed back to the system first, so that it does not count.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    gc.collect()
    with suppress(OSError, AttributeError):  # a C library other than glibc keeps what it has
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        _CLEAR.write_text("5")


def peak_mib(device: torch.device) -> float:
    """Peak since `reset_peak`, MiB: ``max_memory_allocated`` on CUDA, the resident set's high-water mark on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    with suppress(OSError, StopIteration):
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
