"""Warm-up until the step time stands still, then rounds of windows in the order A B B A."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from pydantic import BaseModel, ConfigDict

STATIONARY = 0.02
_LEAST_WARM_UP = 3
LEAST_ROUNDS = 5

TimedWindow = Callable[[], float]
"""Runs a window; returns its seconds a step."""


class WarmUp(BaseModel):
    """How the beginning went: windows and seconds until it ended, and whether the last two agreed within 2 %."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: int
    seconds: float
    stationary: bool


def warm_up(window: TimedWindow, seconds: float) -> WarmUp:
    """Run windows until two in a row agree within 2 %, at most for so many seconds (but three windows in any case)."""
    began = time.perf_counter()
    paces: list[float] = []
    while True:
        paces.append(window())
        spent = time.perf_counter() - began
        stationary = len(paces) >= _LEAST_WARM_UP and abs(paces[-1] / paces[-2] - 1) <= STATIONARY
        if stationary or (spent >= seconds and len(paces) >= _LEAST_WARM_UP):
            return WarmUp(windows=len(paces), seconds=spent, stationary=stationary)


def rounds(
    a: TimedWindow,
    b: TimedWindow,
    seconds: float,
    least: int = LEAST_ROUNDS,
    around: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> list[tuple[float, float]]:
    """Windows in the order A B B A, round by round, so that a drift weighs on both alike.

    Args:
        a, b: each runs a window.
        seconds: how long to go on.
        least: rounds to make in any case.
        around: entered around each round.

    Returns:
        Seconds a step of A and of B, means of two windows each, a pair a round.
    """
    began = time.perf_counter()
    pairs: list[tuple[float, float]] = []
    while len(pairs) < least or time.perf_counter() - began < seconds:
        with around():
            first, second, third, fourth = a(), b(), b(), a()
        pairs.append(((first + fourth) / 2, (second + third) / 2))
    return pairs
