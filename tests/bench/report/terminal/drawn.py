"""Tables drawn to a text, and names that a table may have to show. For tests of what is printed to the terminal."""

from __future__ import annotations

import io
import re
from collections import Counter

from rich.console import RenderableType

from bench.report.terminal.console import plain_console, show

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FIGURE = re.compile(r"\d(?:[\d.,]*\d)?")

HOSTILE = {
    "markup": "unet[red]x[/red][width=4]",
    "closing tag": "a[/]b",
    "emoji": "unet:mask:",
    "link": "[link=file:///etc]x[/link]",
    "pipe": "a|b",
    "back-tick": "`unet`",
    "html": "<img src=x onerror=alert(1)>",
    "wide letters": "模型-naïve–ü",
    "long": "smp/unetplusplus/tu-" + "mobilenetv3_small_100." * 4,
    "percent": "100%s{0}",
}
"""Names by what is hostile about them."""

WIDTHS = (40, 80, 200)


def drawn(table: RenderableType, width: int = 200, terminal: bool = True) -> str:
    """What `show` prints on a terminal of so many columns, without colours; or into a pipe."""
    console = plain_console(io.StringIO(), terminal)
    if terminal:
        console.width = width
    show(table, console)
    return ESCAPE.sub("", console.file.getvalue()) if terminal else console.file.getvalue()  # type: ignore[attr-defined]


def figures(text: str) -> Counter[str]:
    """The numbers in a text."""
    return Counter(_FIGURE.findall(text))


def squeezed(text: str) -> str:
    """A text without white space: names may be folded between words, and within them if need be."""
    return "".join(text.split())
