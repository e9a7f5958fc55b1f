"""A length of time in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A length of time in the units that a person would use.

    >>> duration(50), duration(5400), duration(9000), duration(400_000)
    ('50 s', '90 min', '2.5 h', '4.6 days')
    """
    for unit, size, most in (("s", 1, 100), ("min", 60, 100), ("h", 3600, 72)):
        if seconds < most * size:
            return f"{seconds / size:.0f} {unit}" if unit != "h" else f"{seconds / size:.1f} h"
    return f"{seconds / 86400:.1f} days"
