"""How long models take for a pair of photographs: forward passes at batch 1, all models in turn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from bench.core import files
from bench.core.code import own_code
from bench.core.errors import BenchError
from bench.core.machine import environment
from bench.core.progress import Progress, no_progress
from bench.core.spec import RunSpec
from bench.profile.windows.interval import TIMES, grouped_interval
from bench.profile.windows.restarts import RESTARTS
from bench.results.store import latency as kept
from bench.results.store.latency import Latency, LatencyKey
from bench.timing import memory
from bench.timing.census import Census, bytes_of
from bench.train.assemble import autocast_of, build_model
from registry.contract import Prediction

TOGETHER = 8
"""Models that are measured in turn; of more, so many at a time, since all of them lie in memory."""

_WINDOW = 0.02  # seconds of a window, long against the clock
_LEAST_ROUNDS = 3


def latencies(
    specs: Sequence[RunSpec], device: torch.device, folder: Path, seconds: float = 1.0, progress: Progress = no_progress
) -> list[Latency]:
    """A latency for each spec: what was measured on this machine before, or else is measured now.

    Args:
        specs: of runs; their model, size, precision and memory format count.
        device: where.
        folder: of earlier measurements, and of these.
        seconds: to measure each model for.
        progress: called for every restart.

    Raises:
        BenchError: something is to be measured, and cannot be kept in the folder.
    """
    fingerprint = environment(device).fingerprint
    keys = [_key(spec, fingerprint) for spec in specs]
    found = {key: kept.read(folder, key) for key in keys}
    missing = [(spec, key) for spec, key in dict(zip(keys, zip(specs, keys, strict=True), strict=True)).values()
               if found[key] is None]  # fmt: skip
    if missing:
        _check_kept(folder)
    for start in range(0, len(missing), TOGETHER):
        chunk = missing[start : start + TOGETHER]
        for measured in _measure(chunk, device, seconds, progress):
            kept.write(folder, measured)
            found[measured.key] = measured
    return [latency for key in keys if (latency := found[key]) is not None]


def _check_kept(folder: Path) -> None:
    try:
        files.check_folder(folder, "--runs")
    except BenchError as error:
        raise BenchError(
            f"{error}; latencies are kept there: name another folder with --runs, or do without with --no-measure"
        ) from error


def _key(spec: RunSpec, fingerprint: str) -> LatencyKey:
    return LatencyKey(
        model=spec.model,
        code=own_code(spec.model),
        size=spec.protocol.size,
        precision=spec.precision,
        memory_format=spec.memory_format,
        fingerprint=fingerprint,
    )


class _Pass:
    """One model's forward pass."""

    def __init__(self, spec: RunSpec, device: torch.device) -> None:
        self._device, self._autocast = device, autocast_of(spec, device)
        self._model: nn.Module = build_model(spec, device).eval()
        side = spec.protocol.size
        format = torch.channels_last if spec.memory_format == "channels_last" else torch.contiguous_format
        self._pair = tuple(torch.rand(1, 3, side, side, device=device).to(memory_format=format) for _ in range(2))
        self._passes = 1

    def warm_up(self, seconds: float) -> None:
        """Run for some time, and find out how many passes make a window."""
        began, passes = time.perf_counter(), 0
        while passes < _LEAST_ROUNDS or time.perf_counter() - began < seconds:
            self._forward()
            self._wait()
            passes += 1
        self._passes = max(1, round(_WINDOW * passes / (time.perf_counter() - began)))

    def window(self) -> float:
        """Milliseconds a pass."""
        self._wait()
        began = time.perf_counter()
        for _ in range(self._passes):
            self._forward()
        self._wait()
        return 1e3 * (time.perf_counter() - began) / self._passes

    def peak_mib(self) -> float:
        """MiB at the worst moment of a pass; nothing is timed."""
        if self._device.type == "cuda":
            memory.reset_peak(self._device)
            self._forward()
            return memory.peak_mib(self._device)
        held = [*self._model.parameters(), *self._model.buffers(), *self._pair]
        census = Census(self._device, held=bytes_of(held))
        census.known(held)
        with census:
            begin = census.mark()
            self._forward()
            census.add("forward", begin, census.mark())
        return census.peak / 2**20

    @torch.no_grad()
    def _forward(self) -> Prediction:
        with self._autocast:
            prediction: Prediction = self._model(*self._pair)
        return prediction

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _measure(
    models: Sequence[tuple[RunSpec, LatencyKey]], device: torch.device, seconds: float, progress: Progress
) -> list[Latency]:
    times: list[list[list[float]]] = [[] for _ in models]
    peaks = [0.0] * len(models)
    for restart in range(RESTARTS):
        progress("latency at batch 1", restart, RESTARTS)
        passes = [_Pass(spec, device) for spec, _ in models]
        for each in passes:
            each.warm_up(seconds / RESTARTS / 2)
        rounds = max(_LEAST_ROUNDS, round(seconds / RESTARTS / _WINDOW / 2))
        for windows in times:
            windows.append([])
        for _ in range(rounds):
            for place in (*range(len(passes)), *reversed(range(len(passes)))):  # A B C C B A: a drift weighs on all
                times[place][-1].append(passes[place].window())
        if restart == RESTARTS - 1:
            peaks = [each.peak_mib() for each in passes]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    found = []
    for (_, key), windows, peak in zip(models, times, peaks, strict=True):
        interval = grouped_interval(windows, TIMES)
        found.append(
            Latency(key=key, ms=interval.value, low=interval.low, high=interval.high, restarts=RESTARTS,
                    peak_mib=peak, measured=now)
        )  # fmt: skip
    return found
