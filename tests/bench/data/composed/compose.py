"""A source of composites from the pictures of tests."""

from __future__ import annotations

from bench.data.composed.source import Composed


def compose(pictures, **parameters) -> Composed:
    given = {"bg": pictures.bg, "fg": pictures.fg, "bg_depth": pictures.depth, "camera": "still", "resolution": 60}
    return Composed(**{**given, **parameters})
