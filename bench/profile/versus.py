"""Which of two is faster: windows of both in the order A B B A, in one process."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench.profile.interval import Interval, median_interval, ratio_interval
from bench.profile.rounds import rounds, warm_up
from bench.profile.trainee import Trainee
from registry.errors import RegistryError
from registry.losses import parse
from registry.models import models

SAME = 0.02

Answer = Literal["faster", "slower", "same", "undecided"]


class Comparison(BaseModel):
    """How long a step of ``a`` takes over a step of ``b``.

    Attributes:
        a, b: what was compared, in words.
        a_ms, b_ms: milliseconds a step, medians with their intervals.
        ratio: of the times, with its 95 % interval.
        answer: whether ``a`` is faster than ``b``, slower, the same (the whole interval within 2 %), or undecided.
        rounds: of A B B A.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    a: str
    b: str
    a_ms: Interval
    b_ms: Interval
    ratio: Interval
    answer: Answer
    rounds: int

    def sentence(self) -> str:
        """The answer in words."""
        ratio = f"{self.ratio.value:.3f} times its step time (95 %: {self.ratio.low:.3f} to {self.ratio.high:.3f})"
        return (
            f"{self.a} against {self.b}: {self.answer}; {ratio}, {self.a_ms.value:.2f} ms against "
            f"{self.b_ms.value:.2f} ms, {self.rounds} rounds of A B B A"
        )


def compare(a: Trainee, b: Trainee, seconds: float) -> Comparison:
    """Measure both in turn, uninstrumented.

    Args:
        a, b: on one device.
        seconds: how long to measure; each is warmed up for as long again at most.
    """
    for side in (a, b):
        warm_up(lambda side=side: side.window(), seconds)  # type: ignore[misc]
    pairs = rounds(lambda: a.window(), lambda: b.window(), seconds)
    ratio = ratio_interval([x for x, _ in pairs], [y for _, y in pairs])
    return Comparison(
        a=a.label,
        b=b.label,
        a_ms=median_interval([[1e3 * x] for x, _ in pairs]),
        b_ms=median_interval([[1e3 * y] for _, y in pairs]),
        ratio=ratio,
        answer=answer(ratio),
        rounds=len(pairs),
    )


def answer(ratio: Interval) -> Answer:
    """What an interval of a ratio of times says."""
    if 1 - SAME <= ratio.low and ratio.high <= 1 + SAME:
        return "same"
    if ratio.high < 1:
        return "faster"
    return "slower" if ratio.low > 1 else "undecided"


def opponent(text: str, loss: str) -> tuple[str, str]:
    """The model and the recipe that ``MODEL[:LOSS]`` names; the recipe is ``loss`` where none is given.

    Colons may stand in both (``module:function``, ``mask: bce``): the longest beginning that names a model is one.

    Raises:
        RegistryError: no beginning names a model, or the rest is no recipe.
    """
    colons = [i for i, letter in enumerate(text) if letter == ":"]
    for end in [len(text), *reversed(colons)]:
        try:
            key = models.canonical(text[:end])
        except RegistryError:
            continue
        rest = text[end + 1 :].strip() or loss
        return key, parse(rest).text
    return models.canonical(text), loss  # raises, naming the nearest
