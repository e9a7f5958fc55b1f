"""The console of every command, and how tables are printed to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from rich.console import Console, Group, RenderableType
from rich.text import Text

_UNLIMITED = 10_000
"""Width of a pipe or a file, in columns: lines are not wrapped."""


def plain_console(file: IO[str] | None = None, terminal: bool | None = None) -> Console:
    """A console that prints text unchanged: ``[x]`` is no markup, and ``unet:mask:`` no emoji.

    Args:
        file: what to print to; standard output where it is None.
        terminal: whether it is a terminal; detected where it is None.
    """
    made = Console(file=file, force_terminal=terminal, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _UNLIMITED
    return made


def show(found: RenderableType, to: Console | None = None) -> None:
    """Print tables and lines: no figure is ever cut, however narrow the terminal.

    Names in a table fold where the terminal is narrow. If its figures alone are wider than the terminal, so is the
    table, and the terminal wraps its lines.

    Args:
        found: a table, a line, or a group of them.
        to: where to; a console of standard output where it is None.
    """
    to = to or plain_console()
    for part in _parts(found):
        to.print(Text(part) if isinstance(part, str) else part, crop=False)


def show_markdown(page: str, to: Console) -> None:
    """Print Markdown: formatted on a terminal, as its source elsewhere."""
    if to.is_terminal:
        from rich.markdown import Markdown

        to.print(Markdown(page))
    else:
        to.print(page, end="")


def _parts(found: RenderableType) -> Iterator[RenderableType]:
    if isinstance(found, Group):
        for part in found.renderables:
            yield from _parts(part)
    else:
        yield found
