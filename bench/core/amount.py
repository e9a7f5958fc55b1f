"""A number with its noun, which is singular of one."""

from __future__ import annotations


def amount(count: int, noun: str, plural: str = "") -> str:
    """A count of things in words.

    Args:
        count: how many.
        noun: what, in the singular.
        plural: of the noun; empty: with an s.

    >>> amount(1, "quartet"), amount(2000, "quartet"), amount(0, "other file")
    ('1 quartet', '2,000 quartets', '0 other files')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
