"""A against A: do two profiles of the same step agree within their own intervals?

As with any two things, their restarts are measured in the order A B B A: a machine's own pace moves by a tenth within
minutes, and no interval of a single profile could know of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from bench.profile.windows.interval import Interval

WANTED = 0.9


class Agreement(BaseModel):
    """How many blocks of two profiles have intervals that overlap.

    Attributes:
        blocks: compared, ``unattributed`` and the whole step among them.
        apart: those whose intervals do not overlap.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: int
    apart: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of the blocks that agree."""
        return 1 - len(self.apart) / self.blocks

    def sentence(self) -> str:
        """In words."""
        agreed = self.blocks - len(self.apart)
        verdict = "agree" if self.share >= WANTED else "do not agree: measure longer, on an idle machine"
        apart = f"; apart: {', '.join(self.apart)}" if self.apart else ""
        return f"twice: {agreed} of {self.blocks} blocks within their intervals; the two profiles {verdict}{apart}"


def agreement(first: Mapping[str, Interval], second: Mapping[str, Interval]) -> Agreement:
    """Compare the medians that two profiles of the same step give, by block."""
    names = [name for name in first if name in second]
    return Agreement(blocks=len(names), apart=tuple(name for name in names if not first[name].overlaps(second[name])))
