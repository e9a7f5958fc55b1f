"""Memory of a run: kept by the process between steps, and its peak (torch's own on CUDA, the resident set on a CPU)."""

from __future__ import annotations

import ctypes
import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import torch

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT, _MAPPED = 2**31 - 1, 2**30  # bytes


def keep_freed(device: torch.device) -> None:
    """On a CPU, let glibc keep the memory that tensors free, for the tensors of the next step.

    By itself it hands every tensor over 32 MiB back to the system at once, and the next step pays for its pages
    again: a tenth of a U-Net's step at batch 32, and a different tenth in every process, as which tensors are
    affected depends on where they happen to lie. CUDA's caching allocator does the same thing by itself.
    """
    if device.type == "cpu":
        with suppress(OSError, AttributeError):  # another C library has a policy of its own
            library = ctypes.CDLL(None)
            library.mallopt(_M_MMAP_THRESHOLD, _MAPPED)
            library.mallopt(_M_TRIM_THRESHOLD, _KEPT)


def reset_peak(device: torch.device) -> None:
    """Let the peak begin anew; where the system cannot (a CPU outside Linux), it stays the process's.

    On a CPU, memory that an earlier run freed is handed back to the system first, so that it does not count.
    """
    gc.collect()
    if device.type != "cuda":
        with suppress(OSError, AttributeError):  # a C library other than glibc keeps what it has
            ctypes.CDLL(None).malloc_trim(0)
    _restart_peak(device)


def _restart_peak(device: torch.device) -> None:
    """As `reset_peak`, in microseconds: nothing is looked for that could be freed."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
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


class PeakMeter:
    """The most memory that a stretch of work held, beyond what was held before it and without what is set aside.

    On CUDA it is what torch's allocator gave out at the worst moment, on a CPU by how much the process grew, as what
    Python and torch's libraries take is no training's. Samples, their rendering, and on CUDA the workspaces that cuDNN
    tries in the first steps of a shape are left out; but not samples that are rendered while training goes on (tier
    ``live``), as nothing tells whose memory is whose.

    Attributes:
        kind: what `mib` is: of the ``allocator``, the process's ``growth``, or, where the system reports no more, the
            peak of the whole ``process``.
        stages: peak of each stage of training in MiB, by its name.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        resident = _status_mib("VmRSS")
        self.kind: Literal["allocator", "growth", "process"] = (
            "allocator" if device.type == "cuda" else "process" if resident is None else "growth"
        )
        self.begin()

    def begin(self) -> None:
        """Begin the work."""
        reset_peak(self._device)
        self._base, self._highest = self._held(), 0.0
        self.stages: dict[str, float] = {}

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """What is allocated within, whether it stays or not, is not the work's."""
        if self.kind == "process":
            yield
            return
        self._highest = self.mib
        before = self._held()
        try:
            yield
        finally:
            reset_peak(self._device)
            self._base += self._held() - before

    def settle(self) -> None:
        """The first steps of a shape are over, in which cuDNN tried its algorithms: what was held since the part began
        is forgotten. Does nothing on a CPU.
        """
        if self.kind == "allocator":
            torch.cuda.reset_peak_memory_stats(self._device)

    def begin_part(self) -> None:
        """A further epoch of a stage begins, with the samples of the one before, or an evaluation."""
        self._highest = self.mib
        if self.kind != "process":
            _restart_peak(self._device)

    def end_stage(self, name: str) -> None:
        """What was held since the epoch began is its stage's; of a stage's epochs the greatest counts."""
        self.stages[name] = max(self.stages.get(name, 0.0), self._since_reset())

    @property
    def mib(self) -> float:
        """The peak so far, MiB."""
        return max(self._highest, self._since_reset())

    def _since_reset(self) -> float:
        peak = peak_mib(self._device)
        return peak if self.kind == "process" else max(0.0, peak - self._base)

    def _held(self) -> float:
        """MiB that are held now."""
        if self._device.type == "cuda":
            return torch.cuda.memory_allocated(self._device) / 2**20
        return _status_mib("VmRSS") or 0.0


def _status_mib(name: str) -> float | None:
    """A line of the process's status that counts kB; None if it has no such line."""
    with suppress(OSError, StopIteration, ValueError):
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) / 2**10
    return None
