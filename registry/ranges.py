"""What a number in brackets may be: ranges, stated as data beside the builder that takes the number.

``@models.register(ranges={"width": integer(1, 1024)})`` is checked whenever a key is read, before anything is built.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, as ``value in range`` tests; printed as it stands in a message.

    Attributes:
        low: the least number; allowed itself unless ``low_open``.
        high: the largest number; allowed itself unless ``high_open``.
        low_open, high_open: whether that end itself is left out.
        odd: odd numbers only.
    """

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    odd: bool = False

    def __contains__(self, value: float) -> bool:
        """Whether a number lies in the range; NaN lies in none."""
        over = value > self.low if self.low_open else value >= self.low
        under = value < self.high if self.high_open else value <= self.high
        return over and under and math.isfinite(value) and (not self.odd or value % 2 == 1)

    def __str__(self) -> str:
        ends = []
        if self.low > -math.inf:
            ends.append(f"{'over' if self.low_open else 'at least'} {self.low:g}")
        if self.high < math.inf:
            ends.append(f"{'under' if self.high_open else 'at most'} {self.high:g}")
        return " ".join(["odd," if self.odd else "", " and ".join(ends) or "finite"]).strip()


def at_least(low: float, most: float = math.inf) -> Range:
    """``low`` or more, and no more than ``most``."""
    return Range(low, most)


def above(low: float, most: float = math.inf) -> Range:
    """More than ``low``, and no more than ``most``."""
    return Range(low, most, low_open=True)


def between(low: float, high: float) -> Range:
    """From ``low`` to ``high``, both allowed."""
    return Range(low, high)


def inside(low: float, high: float) -> Range:
    """Between ``low`` and ``high``, neither allowed."""
    return Range(low, high, low_open=True, high_open=True)


def below(high: float) -> Range:
    """0 or more, and less than ``high``."""
    return Range(0, high, high_open=True)


def odd(low: int, high: float = math.inf) -> Range:
    """Odd numbers from ``low`` to ``high``."""
    return Range(low, high, odd=True)
