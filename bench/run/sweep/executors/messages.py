"""Messages between a sweep and the server of its processes: lines of JSON in pipes."""

from __future__ import annotations

import json
import os
import select
from contextlib import suppress
from typing import Any

_LONGEST = select.PIPE_BUF
"""Bytes of a line: what is no longer is written to a pipe at once, however many processes write to it."""
_SHORTER = (400, 100, 20)


def send(pipe: int, message: dict[str, Any]) -> None:
    """Write one line at once, its texts shortened where it would be too long for that."""
    line = json.dumps(message).encode() + b"\n"
    for length in _SHORTER:
        if len(line) <= _LONGEST:
            break
        line = json.dumps({name: _shortened(value, length) for name, value in message.items()}).encode() + b"\n"
    with suppress(BrokenPipeError):  # whoever listened is gone: so will this process be, as its input has ended
        os.write(pipe, line)


def _shortened(value: Any, length: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= length else f"{value[:length]} ..."
    if isinstance(value, list):
        return [_shortened(item, length) for item in value][-8:]
    return value


def first_line(pipe: int) -> bytes:
    """A line, and nothing of what comes after it."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(pipe, 1)):
        line += byte
    return line
