"""Shell wildcards for keys with parameters: ``*`` and ``?`` alone, as brackets hold parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

MARKS = frozenset("*?")


def has_wildcard(text: str) -> bool:
    """Whether a text is a pattern, outside of its brackets."""
    return bool(MARKS & set(text.partition("[")[0]))


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern fits the whole of a text; anything but ``*`` and ``?`` means itself.

    >>> matches("unet[width=?]", "unet[width=8]")
    True
    """
    return _compiled(pattern).fullmatch(text) is not None


def select(pattern: str, names: Iterable[str]) -> list[str]:
    """The names that a pattern fits, in alphabetical order."""
    return sorted(name for name in names if matches(pattern, name))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    words = {"*": ".*", "?": "."}
    return re.compile("".join(words.get(char, re.escape(char)) for char in pattern), re.DOTALL)
