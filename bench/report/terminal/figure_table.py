"""A table of names and figures without lines around its cells."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_GAP = 2  # columns of the terminal between two of the table
_UNLIMITED = 10_000


class FigureTable(Table):
    """A table of names, figures and remarks; text in its cells is not read as markup.

    Args:
        names: headings of the left-aligned columns; their cells fold between words on a narrow terminal.
        figures: headings of the right-aligned columns, which are never wrapped or cut.
        remarks: headings of left-aligned columns after the figures, never wrapped or cut.
        heading: whether the headings are shown.
    """

    def __init__(
        self, names: Sequence[str], figures: Sequence[str] = (), remarks: Sequence[str] = (), heading: bool = True
    ) -> None:
        super().__init__(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0), show_header=heading)
        for name in names:
            self.add_column(Text(name), overflow="fold")
        for name in figures:
            self.add_column(Text(name), justify="right", no_wrap=True)
        for name in remarks:
            self.add_column(Text(name), no_wrap=True)

    def add(self, *cells: str | Text, style: str | None = None) -> None:
        """Add a row."""
        self.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells), style=style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the table, wider than the console where its figures need that: print it with ``crop=False``."""
        widths = self._widths(console, options.max_width)
        drawn = copy(self)
        drawn.columns = [copy(column) for column in self.columns]
        for column, width in zip(drawn.columns, widths, strict=True):
            column.width = width
        whole = options.update(width=sum(widths) + _GAP * len(widths))
        yield from Table.__rich_console__(drawn, console, whole)

    def whole_width(self, console: Console) -> int:
        """Columns of the console that it takes with no name folded."""
        needed = self._needed(console)
        return sum(most for _, most in needed) + _GAP * len(needed)

    def _needed(self, console: Console) -> list[tuple[int, int]]:
        """Of each column the least width and the whole."""
        options = console.options.update(width=_UNLIMITED)
        needed = []
        for column in self.columns:
            cells = [column.header, *column.cells] if self.show_header else [*column.cells]
            measured = [Measurement.get(console, options, cell) for cell in cells]
            most = max((cell.maximum for cell in measured), default=0)
            longest_word = max((cell.minimum for cell in measured), default=0)
            needed.append((most if column.no_wrap else longest_word, most))
        return needed

    def _widths(self, console: Console, room: int) -> list[int]:
        """Each column's width: as needed, but names are folded between words where the console is too narrow."""
        needed = self._needed(console)
        widths = [most for _, most in needed]
        while sum(widths) + _GAP * len(widths) > room:
            spare = [width if width > least else 0 for width, (least, _) in zip(widths, needed, strict=True)]
            if not any(spare):
                break
            widths[spare.index(max(spare))] -= 1
        return widths
