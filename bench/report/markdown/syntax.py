"""Markdown: tables, code, literal text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_TAG = re.compile(r"<(?=[a-zA-Z/!?])(?!/?sub>)")
_MARKUP = re.compile(r"([\\`*_\[\]#])")


def table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A pipe table that ends in a newline; pipes, line breaks and HTML in its cells are escaped."""
    lines = [[_cell(cell) for cell in line] for line in (header, *body)]
    return "".join(f"| {' | '.join(line)} |\n" for line in [lines[0], ["---"] * len(header), *lines[1:]])


def code(text: str) -> str:
    """A name as code; a back-tick in it cannot end it.

    >>> code("unet`[x]")
    "`unet'[x]`"
    """
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"


def literal(text: str) -> str:
    """A text in which nothing is markup.

    >>> print(literal("a *b* [c](d)"))
    a \\*b\\* \\[c\\](d)
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


@lru_cache(maxsize=4096)
def _cell(text: str) -> str:
    """A cell's text with pipes, line breaks and, outside of code, HTML other than ``<sub>`` escaped."""
    flat = " ".join(text.split()).replace("|", "\\|")
    if "<" not in flat:
        return flat
    parts = flat.split("`")
    return "`".join(_TAG.sub("&lt;", part) if i % 2 == 0 else part for i, part in enumerate(parts))
