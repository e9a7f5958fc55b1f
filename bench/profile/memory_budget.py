"""The greatest batch that fits a memory budget: estimated from two small steps, checked by a step of that size."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

import torch
from pydantic import BaseModel, ConfigDict

from bench.core.errors import BenchError
from bench.core.progress import Progress, no_progress
from bench.core.spec import Engine
from bench.data.source import Source
from bench.profile.training import StepRunner

PROBES = {"cpu": (2, 6), "cuda": (8, 32)}
"""Images of the two small steps. On CUDA a workspace of cuDNN's may outweigh what a few images hold."""
_SMALLEST = (1, 2)
_MOST = 4096
_CHECKS = 5
_FULL = 0.97  # of the budget: near enough
_MIB = 2**20

Peak = Callable[[int], int]
"""Bytes at the worst moment of a step with so many images; a torch.OutOfMemoryError counts as more than any budget."""


class BatchTrial(BaseModel):
    """A batch, its expected peak in MiB, and its measured peak; None where memory ran out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: int
    expected_mib: float
    measured_mib: float | None


class Fit(BaseModel):
    """What fits into ``budget_mib``.

    Attributes:
        batch: the greatest batch that was run and fitted.
        peak_mib: its measured peak.
        an_image_mib, fixed_mib: what every image adds, and what is held without any image, by the two small steps.
        checks: batches run to check the estimate, in order; the first is the estimate's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget_mib: float
    batch: int
    peak_mib: float
    an_image_mib: float
    fixed_mib: float
    checks: tuple[BatchTrial, ...]

    def sentence(self) -> str:
        """The answer in words."""
        first = self.checks[0]
        off = (
            "ran out of memory"
            if first.measured_mib is None
            else f"was {first.measured_mib / first.expected_mib - 1:+.1%} off"
        )
        return (
            f"batch {self.batch} fits {self.budget_mib:.0f} MiB (measured {self.peak_mib:.0f} MiB): "
            f"{self.fixed_mib:.0f} MiB and {self.an_image_mib:.2f} MiB an image; the estimate for batch {first.batch} "
            f"{off}"
        )


def fit_batch(peak: Peak, budget_mib: float, probes: tuple[int, int] = PROBES["cpu"]) -> Fit:
    """Find the greatest batch whose step fits.

    Args:
        peak: measures a batch.
        budget_mib: what it may take.
        probes: images of the two small steps; where the smaller of them does not fit, 1 and 2.

    A line through two small steps gives the first estimate. The peak bends upwards where another block becomes the
    worst one, so the estimate is run, and the line drawn anew between what fits and what does not.

    Raises:
        BenchError: not even the smallest batch fits, or memory does not grow with the batch, so that nothing follows.
    """
    budget = budget_mib * _MIB
    measured: dict[int, float] = {}

    def measure(batch: int) -> float:
        """The peak of a batch, measured once; infinite where it does not fit."""
        if batch not in measured:
            try:
                measured[batch] = peak(batch)
            except torch.OutOfMemoryError:
                measured[batch] = math.inf
        return measured[batch]

    small, larger = probes
    if measure(small) > budget:
        small, larger = min(_SMALLEST, probes)
        if measure(small) > budget:
            raise BenchError(
                f"{budget_mib:.0f} MiB are too few: a batch of {small} takes {measured[small] / _MIB:.0f} MiB; "
                "raise --memory-budget, or take a smaller --size or model"
            )
    while measure(larger) == math.inf and larger - small > 1:
        larger = (small + larger) // 2
    fixed, slope = _line(measured, small, larger)
    if not 0 < slope < math.inf:
        raise BenchError(
            f"a batch of {larger} takes {measured[larger] / _MIB:.0f} MiB and a batch of {small} "
            f"{measured[small] / _MIB:.0f} MiB: what fits cannot be estimated from these; try --batch by hand"
        )
    batch, expected = _by_line(fixed, slope, budget)
    checks: list[BatchTrial] = []
    while len(checks) < _CHECKS:
        size = measure(batch)
        found = None if size == math.inf else size / _MIB
        checks.append(BatchTrial(batch=batch, expected_mib=expected / _MIB, measured_mib=found))
        fits = [b for b, size in measured.items() if size <= budget]
        over = [b for b, size in measured.items() if size > budget]
        best = max(fits)
        if measured[best] >= _FULL * budget or best == _MOST or (over and min(over) - best <= 1):
            break
        if over and measured[min(over)] == math.inf:  # by how much it was over nobody knows
            batch, expected = (best + min(over)) // 2, budget
            continue
        line = _line(measured, best, min(over)) if over else _line(measured, *sorted(fits)[-2:])
        if line[1] <= 0:
            break
        batch, expected = _by_line(*line, budget)
    return Fit(
        budget_mib=budget_mib,
        batch=max(fits),
        peak_mib=measured[max(fits)] / _MIB,
        an_image_mib=slope / _MIB,
        fixed_mib=fixed / _MIB,
        checks=tuple(checks),
    )


def fit_batch_of(runner: StepRunner, source: Source, budget_mib: float, progress: Progress = no_progress) -> Fit:
    """`fit_batch` for what is trained, at its size; the weights of a further runner are in memory besides its own.

    Args:
        runner: its spec and its device are taken.
        source: where the batches come from.
        budget_mib: for weights, gradients, the optimizer's moments, activations and the batch.
        progress: called for every batch that is tried.
    """
    tried = count()
    # A CPU's memory is counted tensor by tensor, of eager operations whatever the engine.
    engine: Engine = runner.engine if runner.device.type == "cuda" else "eager"

    def peak(batch: int) -> int:
        """Peak memory of a training step with a batch of this many images, bytes."""
        progress(f"a step with batch {batch}", next(tried), 2 + _CHECKS)
        protocol = runner.spec.protocol.override(batch=batch)
        gc.collect()  # of the trials before
        before = _Held.now(runner.device)
        trial = StepRunner(runner.run.altered(protocol=protocol), source, runner.device, batches=1, engine=engine)
        worst = peak_of(trial)
        if trial.refused is not None and runner.captured:  # as the graph found no room
            raise torch.OutOfMemoryError(trial.refused)
        return worst - (before.reserved if trial.captured else before.allocated)

    return fit_batch(peak, budget_mib, PROBES[runner.device.type])


@dataclass(frozen=True)
class _Held:
    """Bytes that torch's allocator on CUDA has given out, and those that it keeps; 0 on a CPU."""

    allocated: int
    reserved: int

    @classmethod
    def now(cls, device: torch.device) -> _Held:
        """Without what is kept for nobody."""
        if device.type != "cuda":
            return cls(0, 0)
        torch.cuda.empty_cache()
        return cls(torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device))


def peak_of(runner: StepRunner) -> int:
    """Bytes at the worst moment of a step: given out by torch's allocator on CUDA, the tensors' own bytes on a CPU.

    Of a captured step all that the allocator keeps once an eager step was run beside it, as training does to time its
    blocks: neither can use the other's.
    """
    if runner.engine != "eager":
        runner.first_steps()
    runner.step(*next(runner.batches), eagerly=True)  # the optimizer makes its moments in the first step
    if runner.captured:
        return torch.cuda.memory_reserved(runner.device)
    if runner.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(runner.device)
        runner.step(*next(runner.batches))
        return torch.cuda.max_memory_allocated(runner.device)
    return runner.census().peak


def _by_line(fixed: float, slope: float, budget: float) -> tuple[int, float]:
    """The greatest batch that a line lets fit, and the bytes that it expects of it."""
    batch = min(_MOST, int((budget - fixed) / slope))
    return batch, fixed + slope * batch


def _line(measured: Mapping[int, float], a: int, b: int) -> tuple[float, float]:
    """Height at no image at all, and slope, of the line through two batches."""
    slope = (measured[b] - measured[a]) / (b - a)
    return measured[a] - slope * a, slope
