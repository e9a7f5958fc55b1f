"""Output that a terminal's encoding cannot show is shown by what looks like it, instead of ending a command."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

_LOOK_ALIKES = {
    "–": "-",
    "—": "-",
    "−": "-",
    "×": "x",
    "±": "+-",
    "→": "->",
    "↑": "^",
    "↓": "v",
    "≥": ">=",
    "≤": "<=",
    "…": "...",
    "█": "#",
    "─": "-",
    "│": "|",
}
_HANDLER = "look-alikes"


def degrade_output() -> None:
    """Let standard output and error replace what their encoding lacks."""
    codecs.register_error(_HANDLER, replace_unknown)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def replace_unknown(error: UnicodeError) -> tuple[str, int]:
    """A handler of `codecs`: look-alikes, letters without their accents, eighths of a block as ``#``, else ``?``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(letter: str) -> str:
    if letter in _LOOK_ALIKES:
        return _LOOK_ALIKES[letter]
    name = unicodedata.name(letter, "")
    if name.startswith("BOX DRAWINGS"):
        return "|" if "VERTICAL" in name else "-"
    if "BLOCK" in name:
        return "#"
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return plain or "?"
