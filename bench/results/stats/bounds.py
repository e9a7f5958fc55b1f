"""Intervals are cut to what is possible: a Dice lies in 0 to 1, the difference of two in -1 to 1, whatever t says."""

from __future__ import annotations

Bounds = tuple[float | None, float | None]
"""The smallest and the largest possible value of a metric; None for no bound."""

UNBOUNDED: Bounds = (None, None)


def within(bounds: Bounds, value: float, low: float, high: float) -> tuple[float, float]:
    """An interval without what is impossible, which covers the truth as often as before.

    Args:
        bounds: of what is estimated.
        value: the estimate; it stays within, even where it lies beyond bounds that a user gave wrongly.
        low, high: the interval.

    >>> within((0.0, 1.0), 0.15, -0.13, 0.43), within((0.0, None), 0.2, -0.1, 7.0)
    ((0.0, 0.43), (0.0, 7.0))
    """
    least, most = bounds
    return (
        low if least is None else max(low, min(least, value)),
        high if most is None else min(high, max(most, value)),
    )


def of_differences(bounds: Bounds) -> Bounds:
    """Between what the difference of two such values lies.

    >>> of_differences((0.0, 1.0)), of_differences((0.0, None))
    ((-1.0, 1.0), (None, None))
    """
    least, most = bounds
    return UNBOUNDED if least is None or most is None else (least - most, most - least)
