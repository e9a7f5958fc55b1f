"""The console of every command, and how tables are printed to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from rich.console import Console, ConsoleOptions, ConsoleRenderable, Group, RenderableType, RenderHook, RenderResult
from rich.segment import Segment
from rich.text import Text

from bench.core.visible import visible

_UNLIMITED = 10_000
"""Width of a pipe or a file, in columns: lines are not wrapped."""


def plain_console(file: IO[str] | None = None, terminal: bool | None = None) -> Console:
    """A console that prints text unchanged: ``[x]`` is no markup, and ``unet:mask:`` no emoji.

    Control characters in it are shown as symbols: no name steers the terminal.

    Args:
        file: what to print to; standard output where it is None.
        terminal: whether it is a terminal; detected where it is None.
    """
    made = Console(file=file, force_terminal=terminal, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _UNLIMITED
    made.push_render_hook(_VisibleText())
    return made


class _VisibleText(RenderHook):
    """Lets every text that is printed pass through `visible`; the console's own codes are added later."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Visible(renderable) for renderable in renderables]


class _Visible:
    """Something to print, its text as `visible` has it."""

    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rendered: Iterable[Segment] = console.render(self._renderable, options)
        for segment in rendered:
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


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
