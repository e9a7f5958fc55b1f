"""Racing precisions and memory formats: how fast a model's training step is in each, measured in turn."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import torch

from bench.core.choice import Candidate
from bench.core.errors import BenchError
from bench.core.progress import Progress, no_progress
from bench.core.spec import RunSpec
from bench.data.source import Source
from bench.profile.training import StepRunner

ROUNDS = 5

_BATCHES = 4
_HOPELESS = 1.25  # so many times the best time a step: not measured any further


def rates_of(
    spec: RunSpec, among: Sequence[Candidate], source: Source, device: torch.device, tell: Progress = no_progress
) -> dict[Candidate, float]:
    """Images/s of a spec's training step under each candidate, at the last stage's size and batch.

    One that cannot be trained here (short memory, an operation that its precision lacks) is left out.
    """
    windows: dict[Candidate, Callable[[], float]] = {}
    for one in among:
        tell(f"{spec.model} in {one}", 0, ROUNDS + 1)
        with suppress(BenchError, RuntimeError, ValueError, MemoryError):
            trial = spec.model_copy(update=one._asdict())
            windows[one] = StepRunner(trial, source, device, batches=_BATCHES, resident=True).window
    seconds = race(windows, tell=lambda turn: tell(f"{spec.model} in each, in turn", turn, ROUNDS + 1))
    windows.clear()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    batch = spec.protocol.stages[-1].batch
    return {one: float(f"{batch / seconds[one]:.4g}") for one in among if one in seconds}


def race(
    windows: Mapping[Candidate, Callable[[], float]],
    rounds: int = ROUNDS,
    tell: Callable[[int], None] = lambda turn: None,
) -> dict[Candidate, float]:
    """Median seconds a step of each (of two, the lower), measured in turn after a window each to warm up.

    One that fails is out; one that is slower than the best by a quarter after two rounds is measured no further.

    Args:
        windows: each trains for a short while and returns its seconds a step.
        rounds: windows of each that stays in the race.
        progress: told of every turn, from 0.
    """
    seconds: dict[Candidate, list[float]] = {one: [] for one in windows}
    running = list(windows)
    for turn in range(rounds + 1):
        tell(turn)
        for one in list(running):
            try:
                seconds[one].append(windows[one]())
            except (BenchError, RuntimeError, ValueError, MemoryError):
                running.remove(one)
                del seconds[one]
        if turn == 2:
            best = min((min(times[1:]) for times in seconds.values()), default=0.0)
            running = [one for one in running if min(seconds[one][1:]) <= _HOPELESS * best]
    return {one: statistics.median_low(times[1:]) for one, times in seconds.items()}
