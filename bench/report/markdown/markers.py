"""Generated parts of pages that are written by hand: what lies between two markers is replaced, the rest stays."""

from __future__ import annotations


def put_between(text: str, name: str, content: str) -> str | None:
    """A page with what lies between ``<!-- name -->`` and ``<!-- /name -->`` replaced.

    Args:
        text: the page; its line endings stay what they are.
        name: of the markers.
        content: what goes between them, lines ending in a line feed.

    Returns:
        The page; None where it lacks a marker.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    before, begin, rest = text.replace("\r\n", "\n").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->\n")
    if not begin or not end:
        return None
    return f"{before}{begin}{content}{end}{after}".replace("\n", ending)
