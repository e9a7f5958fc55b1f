"""A against A: do two profiles of the same step agree within their own intervals?"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from bench.profile.profile import Profile

WANTED = 0.9


class Agreement(BaseModel):
    """How many blocks of two profiles have intervals that overlap.

    Attributes:
        blocks: compared, `unattributed` and the whole step among them.
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


def agreement(one: Profile, other: Profile) -> Agreement:
    """Compare two profiles of the same step."""
    a, b = ({"step": found.step_ms} | {row.name: row.median_ms for row in found.blocks} for found in (one, other))
    names = [name for name in a if name in b]
    return Agreement(blocks=len(names), apart=tuple(name for name in names if not a[name].overlaps(b[name])))
