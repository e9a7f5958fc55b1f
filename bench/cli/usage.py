"""Mistakes in the options of a command, as a line that names the option, the value, and where the help is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for options that are unknown, missing, or have an invalid value."""

DEFAULTS = "bench.defaults"
"""Where a command's context says which file its options' defaults come from."""

_INVALID = re.compile(r"Invalid value for '(?P<option>--[\w-]+)'[^:]*: Input should be (?P<wanted>.*)")
_PARSING = re.compile(r", unable to (parse|interpret) .*")


def usage_message(error: Any, words: Sequence[str]) -> str:
    """The line for an error of type `UsageError`; empty where the help was printed instead.

    Args:
        error: what typer raised.
        words: of the command line.
    """
    text = " ".join(error.format_message().split())
    invalid = _INVALID.fullmatch(text)
    value = _value(getattr(getattr(error, "param", None), "opts", ()), words)
    if invalid and value is not None:
        text = f"{invalid['option']} must be {_PARSING.sub('', invalid['wanted'])}, not {value!r}"
    if not text:
        return ""
    text = text.replace("Value error, ", "")
    if file := _file(error):
        text = f"{file}: {text}"
    return f"{text.rstrip('.')}; see: {_command(error.ctx)} --help"


def _value(options: Sequence[str], words: Sequence[str]) -> str | None:
    """The last value that was given to an option."""
    found = None
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in options:
            found = value if equals else next(iter(words[place + 1 : place + 2]), None)
    return found


def _file(error: Any) -> Path | None:
    """The file that a value comes from; None for one of the command line."""
    context, name = error.ctx, getattr(getattr(error, "param", None), "name", None)
    if context is None or name is None:
        return None
    source = context.get_parameter_source(name)
    found: Path | None = context.meta.get(DEFAULTS) if source is not None and source.name == "DEFAULT_MAP" else None
    return found


def _command(context: Any) -> str:
    """The command's name with those of the groups above it."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name)
        context = context.parent
    return " ".join(["bench", *names])
