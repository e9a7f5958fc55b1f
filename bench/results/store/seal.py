"""The checksum of a JSON file, its own last value, and that of a table: was it changed after it was written?"""

from __future__ import annotations

import hashlib

from pydantic import BaseModel

_CHECKSUM = '"checksum": "'
_DIGITS = 16
UNSEALED = "its checksum is missing: it was changed or damaged after it was written"
"""What is wrong with a text that lacks a checksum."""


def sealed(record: BaseModel) -> str:
    """The record as JSON, its last value the checksum of all that stands before."""
    text = record.model_dump_json(indent=1)
    body, mark, end = text.rpartition('"checksum": null')
    assert mark and end == "\n}", "the checksum is the record's last field"
    return f'{body}{_CHECKSUM}{digest(body)}"{end}\n'


def check_seal(text: str, required: bool = True) -> bool:
    """Whether a text has a checksum.

    Raises:
        ValueError: it is not that of the text, or it is missing where it is required.
    """
    body, mark, rest = text.rpartition(_CHECKSUM)
    if mark and rest[:_DIGITS] != digest(body):
        raise ValueError("its checksum is not that of its content: it was changed or damaged after it was written")
    if required and not mark:
        raise ValueError(UNSEALED)
    return bool(mark)


def digest(text: str) -> str:
    """Sixteen hex digits over a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
