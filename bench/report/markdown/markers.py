"""Generated parts of hand-written pages: the text between two markers is replaced, the rest is kept."""

from __future__ import annotations

import re


def put_between(text: str, name: str, content: str) -> str | None:
    """A page with the text between ``<!-- name -->`` and ``<!-- /name -->`` replaced.

    Args:
        text: the page; outside of the markers it is kept byte by byte.
        name: of the markers.
        content: what to put between them, with lines that end in a line feed; it gets the line ending of the marker.

    Returns:
        The page; None if a marker is missing.
    """
    begin = re.search(rf"<!-- {re.escape(name)} -->(\r?\n)", text)
    end = begin and re.compile(rf"<!-- /{re.escape(name)} -->(?=\r?\n)").search(text, begin.end())
    if not begin or not end:
        return None
    return text[: begin.end()] + content.replace("\n", begin[1]) + text[end.start() :]
