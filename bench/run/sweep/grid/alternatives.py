"""Alternatives in brackets: ``unet[width=16|32]`` stands for ``unet[width=16]`` and ``unet[width=32]``."""

from __future__ import annotations

import itertools
import re

_QUOTED = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\([^()]*\)"""
_VALUE = rf"(?:{_QUOTED}|[^,\[\]|'\"()=])+"
_CHOICE = re.compile(rf"(?<==){_VALUE}(?:\|{_VALUE})+(?=[,\]])")
_ONE = re.compile(_VALUE)


def alternatives(text: str) -> list[str]:
    """Every text that one with alternatives stands for, the last parameter changing fastest.

    Works within any brackets: of a model's key, of an optimizer's, of the terms of a recipe.

    >>> alternatives("unet[depth=2|3,width=8]")
    ['unet[depth=2,width=8]', 'unet[depth=3,width=8]']
    >>> alternatives("mask: bce")
    ['mask: bce']
    """
    pieces: list[list[str]] = []
    at = 0
    for match in _CHOICE.finditer(text):
        pieces += [[text[at : match.start()]], [value.strip() for value in _ONE.findall(match[0])]]
        at = match.end()
    return ["".join(chosen) for chosen in itertools.product(*pieces, [text[at:]])]
