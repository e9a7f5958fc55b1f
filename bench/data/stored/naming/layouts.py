"""The layouts of files that are known by name, and those that a user spells out."""

from __future__ import annotations

from bench.core.errors import BenchError
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.patterns import parse_patterns
from bench.data.stored.naming.published import PAIRS, PUBLISHED
from bench.data.stored.naming.well_known import WELL_KNOWN

OWN = "pattern"
"""The name of a layout that a user spells out."""

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (*PUBLISHED, PAIRS, *WELL_KNOWN)}
"""By name, the particular ones first."""


def find_layout(files: str) -> Layout | None:
    """The layout that ``--files`` names or spells out; None where it is to be recognised (``auto``).

    Raises:
        BenchError: neither a name nor patterns.
    """
    if files == "auto":
        return None
    if files in LAYOUTS:
        return LAYOUTS[files]
    if "=" not in files:
        raise BenchError(f"unknown layout {files!r}; known: auto, {', '.join(LAYOUTS)}, or patterns of your own")
    return Layout(OWN, "patterns of the user", parse_patterns(files))
