"""Restarts: a step is measured several times from the beginning, as every beginning lies differently in memory.

Where a model's tensors come to lie decides which of them share caches and pages, and that moves a block's time by
more than the noise within a restart: two programs that measure the same for as long as they like need not agree. So a
profile builds what it measures anew a few times, and its intervals come from how far these restarts differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.profile.disturbance.monitor import ClockSampler
from bench.profile.disturbance.observation import Observation
from bench.profile.training import StepRunner
from bench.profile.windows.rounds import WarmUp, rounds, warm_up
from bench.timing.window import Window

RESTARTS = 4
_LEAST_ROUNDS = 2


@dataclass(frozen=True)
class Round:
    """Four windows in a row: plain, instrumented, instrumented, plain; and what disturbed them."""

    windows: tuple[Window, Window, Window, Window]
    observation: Observation

    @property
    def plain(self) -> tuple[Window, Window]:
        """The first and the last."""
        return self.windows[0], self.windows[3]

    @property
    def marked(self) -> tuple[Window, Window]:
        """Those whose blocks were timed."""
        return self.windows[1], self.windows[2]


@dataclass(frozen=True)
class Restart:
    """A start from fresh weights: how it warmed up, and all its rounds including disturbed rounds."""

    warm_up: WarmUp
    rounds: tuple[Round, ...]


def measure_restart(runner: StepRunner, seconds: float) -> Restart:
    """Warm up and measure.

    Args:
        runner: that was just restarted.
        seconds: how long to measure; as long again, at most, is spent on warming up.
    """
    warm = warm_up(lambda: runner.window(), seconds)
    runner.window(instrumented=True)  # the first marks allocate what later marks reuse
    return Restart(warm, tuple(some_rounds(runner, seconds, _LEAST_ROUNDS)))


def some_rounds(runner: StepRunner, seconds: float, least: int) -> list[Round]:
    """Rounds of a warm runner: for so many seconds, and so many at least."""
    sampler = ClockSampler(runner.device)
    runner.ledger.windows.clear()
    observations: list[Observation] = []

    @contextmanager
    def watched() -> Iterator[None]:
        """Observe what else the machine does meanwhile."""
        sampler.begin()
        yield
        observations.append(sampler.end())

    def window(instrumented: bool) -> float:
        """Seconds a step in a window of steps."""
        pace = runner.window(instrumented)
        runner.keep_busy(sampler.sample)  # NVML takes milliseconds: outside the window, and while the device works
        return pace

    rounds(lambda: window(False), lambda: window(True), seconds, least, watched)
    windows = runner.ledger.windows
    return [Round(four, what) for four, what in zip(_fours(windows), observations, strict=True)]


def undisturbed(restarts: Sequence[Sequence[Round]]) -> tuple[list[list[Round]], bool]:
    """The rounds of some restarts without those that were disturbed; of a restart that has no others, all of them.

    Returns:
        The rounds by restart, and whether some had to be kept for want of others.
    """
    found = [[round for round in rounds if round.observation.disturbed is None] for rounds in restarts]
    return [good or [*rounds] for good, rounds in zip(found, restarts, strict=True)], not all(found)


def _fours(windows: Sequence[Window]) -> Iterator[tuple[Window, Window, Window, Window]]:
    for i in range(0, len(windows), 4):
        a, b, c, d = windows[i : i + 4]
        yield a, b, c, d
