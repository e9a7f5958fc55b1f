"""Two ways of doing the same, measured in turns, and how they compare."""

from __future__ import annotations

from collections.abc import Callable

from bench.profile.windows.interval import median_interval, ratio_interval
from bench.profile.windows.rounds import TimedWindow, rounds

WORKERS = (0, 2)

Say = Callable[[str], None]


def fastest(make: Callable[[int], TimedWindow], choices: tuple[int, ...] = WORKERS) -> tuple[int, TimedWindow]:
    """The number of workers that serves the peer best, tried twice each, and its step."""
    steps = {workers: make(workers) for workers in choices}
    for step in steps.values():
        step()
    paces = {workers: min(step(), step()) for workers, step in steps.items()}
    best = min(paces, key=paces.__getitem__)
    return best, steps[best]


def compare(
    benchmark, say: Say, what: str, wanted: str, ours: TimedWindow, peer: TimedWindow, seconds: float = 1.0
) -> None:
    """Print how many times faster ours is; each step returns seconds a quartet."""
    ours()
    pairs = benchmark.pedantic(rounds, args=(ours, peer, seconds))
    a, b = zip(*pairs, strict=True)
    ratio = ratio_interval(b, a)
    rates = [1 / median_interval([[x] for x in side]).value for side in (a, b)]
    benchmark.extra_info.update(ratio=ratio.value, low=ratio.low, high=ratio.high, ours=rates[0], peer=rates[1])
    say(
        f"{what}: {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) times, "
        f"{rates[0]:,.0f} against {rates[1]:,.0f} a second; wanted: {wanted}"
    )
