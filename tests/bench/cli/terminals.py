"""Kinds of terminals to run a command on, in this process."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.bench.command import status_here

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;[25])[0-9;]*m")
_DRAWN_OVER = re.compile(r"\x1b\[\?25l.*?\x1b\[\?25h", re.DOTALL)
_FIGURE = re.compile(r"\d(?:[\d.,]*\d)?")


class Stream(io.TextIOWrapper):
    """Standard output that keeps what is written to it, and says that it is a terminal, or not."""

    def __init__(self, encoding: str, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Kind:
    """A terminal, or none: its encoding and what the environment says of it."""

    terminal: bool = True
    encoding: str = "utf-8"
    environment: dict[str, str] = field(default_factory=dict)


PIPE = Kind(terminal=False)
KINDS = {
    "40 columns": Kind(environment={"TERM": "xterm", "COLUMNS": "40"}),
    "TERM=dumb": Kind(environment={"TERM": "dumb", "COLUMNS": "80"}),
    "NO_COLOR": Kind(environment={"TERM": "xterm-256color", "COLUMNS": "100", "NO_COLOR": "1"}),
    "ascii": Kind(encoding="ascii", environment={"TERM": "xterm", "COLUMNS": "100"}),
    "pipe": Kind(terminal=False, environment={"COLUMNS": "40"}),
}


def run(monkeypatch: pytest.MonkeyPatch, kind: Kind, *words: str) -> tuple[int, str]:
    """Exit status, and all that was written to standard output and error."""
    with monkeypatch.context() as patch:
        for name in ("TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM"):
            patch.delenv(name, raising=False)
        for name, value in kind.environment.items():
            patch.setenv(name, value)
        stream = Stream(kind.encoding, kind.terminal)
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", stream)
        return status_here(patch, *words), stream.text()


def figures(text: str) -> Counter[str]:
    """The numbers in a text, without colours and movements of the cursor."""
    return Counter(_FIGURE.findall(ESCAPE.sub("", text)))


def without_progress(text: str) -> str:
    """A text without what was drawn over while the cursor was hidden: bars of progress, cut at the edge."""
    return _DRAWN_OVER.sub("", text)
