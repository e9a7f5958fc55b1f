"""`PrecisionChoice`: how precision and memory format were chosen in records of format 1. Read, never written."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench.core.spec import MemoryFormat, Precision


class PrecisionChoice(BaseModel):
    """What was chosen where nobody asked for one precision and one memory format by name.

    Attributes:
        precision, layout: as in the spec; ``layout`` is the memory format.
        origin: ``measured`` on that machine, taken from the ``records`` of the same leaderboard row, or the device's
            ``default``.
        rates: images/s of a training step by precision and memory format, where they were measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision
    layout: MemoryFormat
    origin: Literal["measured", "records", "default"]
    rates: dict[str, float] = {}
