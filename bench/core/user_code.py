"""Errors in a user's own code, as a line with what was raised and where."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

_PROJECT = tuple(Path(__file__).parents[2] / name for name in ("bench", "registry"))
_LIBRARIES = tuple({Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")})


def error_in_user_code(error: BaseException) -> str | None:
    """What a user's code raised, in one line with its file and line; None if the error came from elsewhere.

    A user's code is what lies neither in this project nor among installed libraries. What a library raises, called
    by the user's code, counts as the user's.
    """
    place = None
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename).resolve()
        if any(path.is_relative_to(folder) for folder in _PROJECT):
            place = None  # called back: what follows is this project's
        elif path.is_file() and not any(path.is_relative_to(folder) for folder in _LIBRARIES):
            place = frame
    if place is None:
        return None
    message = " ".join(str(error).split()) or "no reason given"
    return f"{type(error).__name__}: {message} ({Path(place.filename).name}, line {place.lineno})"
