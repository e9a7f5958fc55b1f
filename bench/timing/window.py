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
        engine: how its steps were run; windows of different engines are not compared to find what measuring costs.
        wait_seconds: of ``seconds``, spent in the synchronisation at the end; 0 on a CPU.
        tag: what the steps were like; only windows of the same tag are summed up together.
        others: share of the time of all cores that other processes took; None if it was not measured.
        disturbed: by what, if by anything; such a window counts for no rate unless all were disturbed.
    """

    steps: int
    images: int
    seconds: float
    blocks: dict[str, list[float]] | None
    processor_seconds: float = 0.0
    tag: str = ""
    wait_seconds: float = 0.0
    engine: str = "eager"
    others: float | None = None
    disturbed: str | None = None

    @property
    def host_bound(self) -> bool:
        """Whether the device had next to nothing left to do when the host had launched everything.

        A device that is the slower of the two has a queue of work at the end, at least half a step of it.
        """
        return self.wait_seconds < self.seconds / self.steps / 2
