"""`Progress`: a callback with how much of a piece of work is done."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told what is being done now, how many parts of the work are done, and of how many."""


def no_progress(what: str, done: int, total: int) -> None:
    """A `Progress` that does nothing."""
