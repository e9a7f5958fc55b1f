"""Texts with names in them as a terminal may show them: what would steer it is shown as a symbol instead."""

from __future__ import annotations

_KEPT = "\n\t"
_SYMBOLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in _KEPT}
_SYMBOLS |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


def visible(text: str) -> str:
    r"""The text with control characters as symbols; line ends and tabs stay.

    Names of files, models and layers, and what libraries say in errors, may hold any.

    >>> visible("mine\x1b[2J.jpg")
    'mine␛[2J.jpg'
    """
    return text.translate(_SYMBOLS)
