"""Why a file cannot be read as what it should be, in a line."""

from __future__ import annotations

import re

from pydantic import ValidationError

NEWER = "a newer version of this tool wrote it: update the tool"
"""What is said of a file whose format this version does not know yet."""


def reason(error: Exception) -> str:
    """What is wrong, and where in the record."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        if first["loc"] == ("format",) and first["type"] == "literal_error":
            known = max(map(int, re.findall(r"\d+", first["ctx"]["expected"])))
            if isinstance(first["input"], int) and first["input"] > known:
                return f"its format is {first['input']}, {NEWER}"
        return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
    return (str(error).splitlines() or [type(error).__name__])[0]
