"""Which of two is faster: windows of both in the order A B B A, in the same process."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench.core.progress import Progress, no_progress
from bench.profile.engines import compile_seconds
from bench.profile.training import StepRunner
from bench.profile.windows.interval import TIMES, Interval, grouped_interval
from bench.profile.windows.restarts import RESTARTS
from bench.profile.windows.rounds import rounds, warm_up
from registry.errors import RegistryError
from registry.losses import parse
from registry.losses.recipe import Recipe
from registry.models import models

SAME = 0.02
_LEAST_ROUNDS = 2  # a restart

Answer = Literal["faster", "slower", "same", "undecided"]


class StepComparison(BaseModel):
    """How long a step of ``a`` takes over a step of ``b``.

    Attributes:
        a, b: what was compared, in words; each in the precision that it would be trained in.
        a_ms, b_ms: milliseconds a step, medians with their intervals.
        a_compile_seconds, b_compile_seconds: to compile or capture; None if eager.
        ratio: of the times, with its 95 % interval.
        answer: whether ``a`` is faster than ``b``, slower, the same (the whole interval within 2 %), or undecided.
        rounds: of A B B A.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    a: str
    b: str
    a_ms: Interval
    b_ms: Interval
    a_compile_seconds: float | None
    b_compile_seconds: float | None
    ratio: Interval
    answer: Answer
    rounds: int

    def sentence(self) -> str:
        """The answer in words."""
        ratio = f"{self.ratio.value:.3f} times its step time (95 %: {self.ratio.low:.3f} to {self.ratio.high:.3f})"
        return f"{self.a} against {self.b}: {self.answer}; {ratio}, {self.rounds} rounds of A B B A"

    def rows(self) -> list[tuple[str, str, str]]:
        """A table: what, milliseconds a step with their interval, seconds to compile or capture."""
        sides = ((self.a, self.a_ms, self.a_compile_seconds), (self.b, self.b_ms, self.b_compile_seconds))
        return [
            (name, f"{ms.value:.2f} ({ms.low:.2f} to {ms.high:.2f})", "–" if wait is None else f"{wait:.1f}")
            for name, ms, wait in sides
        ]


def compare(
    a: StepRunner, b: StepRunner, seconds: float, restarts: int = RESTARTS, progress: Progress = no_progress
) -> StepComparison:
    """Measure both in turn, uninstrumented.

    Args:
        a, b: on the same device.
        seconds: how long to measure; each is warmed up for as long again at most.
        restarts: how often both begin anew; the intervals come from how far these differ.
        progress: called for every restart.
    """
    ready = []
    for side in (a, b):
        progress(f"first steps of {side.label}", 0, restarts)
        ready.append(side.first_steps())
    pairs: list[list[tuple[float, float]]] = []
    while len(pairs) < restarts:
        progress(f"restart {len(pairs) + 1} of {restarts}, in turn A B B A", len(pairs), restarts)
        if pairs:
            a.restart()
            b.restart()
        for side in (a, b):
            warm_up(lambda side=side: side.window(), seconds / restarts)  # type: ignore[misc]
        pairs.append(rounds(lambda: a.window(), lambda: b.window(), seconds / restarts, _LEAST_ROUNDS))
    logs = grouped_interval([[math.log(x / y) for x, y in row] for row in pairs])
    ratio = Interval(value=math.exp(logs.value), low=math.exp(logs.low), high=math.exp(logs.high))
    times = [grouped_interval([[1e3 * pair[i] for pair in row] for row in pairs], TIMES) for i in range(2)]
    compiling = [
        compile_seconds(side, first, time.value / 1e3) for side, first, time in zip((a, b), ready, times, strict=True)
    ]
    return StepComparison(
        a=f"{a.label}, {a.spec.precision_label}",
        b=f"{b.label}, {b.spec.precision_label}",
        a_ms=times[0],
        b_ms=times[1],
        a_compile_seconds=compiling[0],
        b_compile_seconds=compiling[1],
        ratio=ratio,
        answer=answer(ratio),
        rounds=sum(map(len, pairs)),
    )


def answer(ratio: Interval) -> Answer:
    """What an interval of a ratio of times says."""
    if 1 - SAME <= ratio.low and ratio.high <= 1 + SAME:
        return "same"
    if ratio.high < 1:
        return "faster"
    return "slower" if ratio.low > 1 else "undecided"


def opponent(text: str, recipe: Recipe) -> tuple[str, Recipe]:
    """The model and the recipe that ``MODEL[:LOSS]`` names; ``recipe`` where it names none.

    Colons may stand in both (``module:function``, ``mask: bce``): the longest prefix that names a model is the model.

    Raises:
        RegistryError: no beginning names a model, or the rest is no recipe.
    """
    colons = [i for i, letter in enumerate(text) if letter == ":"]
    for end in [len(text), *reversed(colons)]:
        try:
            key = models.canonical(text[:end])
        except RegistryError:
            continue
        rest = text[end + 1 :].strip()
        return key, parse(rest) if rest else recipe
    return models.canonical(text), recipe  # raises, naming the nearest
