"""Keys as text: ``name[parameter=value,...]`` read and written; every value has a canonical spelling."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from registry.errors import BadParameter

_KEY = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<params>[^\[\]]*)\])?")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "none": None}
_PIECE = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\([^()]*\)|[^,]""")
_MARKS = frozenset(",='\"()[]\\")


def parse_key(key: str) -> tuple[str, dict[str, Any]]:
    """Split ``name[a=1,b=true]`` into its name and its parameters.

    Values are read as Python literals; ``true``, ``false`` and ``none`` in any case too; else they are text. A comma
    within quotes or parentheses divides nothing.

    Raises:
        BadParameter: the brackets do not close, or a parameter is not ``name=value``.
    """
    match = _KEY.fullmatch(key.strip())
    if match is None:
        raise BadParameter(f"cannot read {key!r}: write it as name or name[parameter=value,...]")
    params: dict[str, Any] = {}
    for item in _items(match["params"] or ""):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not name.isidentifier() or not value:
            raise BadParameter(f"cannot read {item!r} in {key!r}: write it as parameter=value")
        if name in params:
            raise BadParameter(f"parameter {name!r} is given twice in {key!r}")
        params[name] = _value(value)
    return match["name"].strip(), params


def format_key(name: str, params: Mapping[str, Any]) -> str:
    """The inverse of `parse_key`, parameters in alphabetical order, values in canonical form."""
    if not params:
        return name
    return f"{name}[{','.join(f'{k}={_text(v)}' for k, v in sorted(params.items()))}]"


def format_number(value: float) -> str:
    """The shortest decimal that reads back as ``value``, without ``.0``."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e16 else repr(value)


def _items(params: str) -> list[str]:
    """The text between brackets, divided at its commas; empty items are left out."""
    items, item = [], ""
    while params:
        match = _PIECE.match(params)
        piece = match[0] if match else params[0]
        params = params[len(piece) :]
        if match:
            item += piece
        else:
            items.append(item)
            item = ""
    return [text.strip() for text in [*items, item] if text.strip()]


def _value(text: str) -> Any:
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, str):
        plain = value == value.strip() and value and _value(value) == value and not _MARKS & set(value)
        return value if plain else repr(value).replace("[", r"\x5b").replace("]", r"\x5d")
    return f"{value}"
