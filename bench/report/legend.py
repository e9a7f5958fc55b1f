"""How to read a board, in the same words wherever one is shown: plain text, without markup."""

from __future__ import annotations

from collections.abc import Iterable

from bench.results.board.standings import MOST

COMMAND = "bench compare"
"""In `TIES`, for a page that marks commands."""

TIES = (
    "Rows with the same tie number were not shown to be worse than the best of them, corrected for all rows of the "
    f"table. {COMMAND} asks about two rows alone, without that correction, and may tell them apart."
)

UNRANKED = (
    f"· marks a row that is not ranked: a single seed, a per-image table that is missing or damaged, per-image values "
    f"that are missing, infinite or of other images, or {MOST} better rows."
)


def unranked(reasons: Iterable[str]) -> str:
    """Why the rows of a table that are marked with a dot are not ranked; empty where none is.

    Args:
        reasons: of all its rows, empty for those that are ranked.
    """
    found = sorted({reason for reason in reasons if reason})
    return f"· is not ranked: {', '.join(found)}." if found else ""
