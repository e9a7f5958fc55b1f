"""A window of training steps, and what was measured in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Window:
    """A stretch of steps between two synchronisations.

    Attributes:
        steps, images, seconds: what was done and how long it took by the wall clock.
        blocks: milliseconds of every step by block, or None where nothing was marked.
        processor_seconds: processor time of this process, all its threads together.
        tag: what the steps were like; only windows of one tag are summed up together.
    """

    steps: int
    images: int
    seconds: float
    blocks: dict[str, list[float]] | None
    processor_seconds: float = 0.0
    tag: str = ""
