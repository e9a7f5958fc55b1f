"""Characters that an output's encoding lacks are replaced by similar ones instead of raising an error."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

_SIMILAR = {
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
_HANDLER = "similar"


def degrade_output() -> None:
    """Make standard output and error replace characters that their encoding lacks."""
    codecs.register_error(_HANDLER, replace_unknown)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def replace_unknown(error: UnicodeError) -> tuple[str, int]:
    """A handler of `codecs`: similar characters, letters without accents, parts of a block as ``#``, else ``?``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(letter: str) -> str:
    if letter in _SIMILAR:
        return _SIMILAR[letter]
    name = unicodedata.name(letter, "")
    if name.startswith("BOX DRAWINGS"):
        return "|" if "VERTICAL" in name else "-"
    if "BLOCK" in name:
        return "#"
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return plain or "?"
