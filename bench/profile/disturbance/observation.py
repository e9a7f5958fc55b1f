"""What was observed in windows of steps: was a window disturbed, and how many were discarded for what?

What cannot be observed is reported (`Observation.unobserved`), never guessed, and only what certainly happened
disturbs a window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Observation:
    """What was observed in a window.

    Attributes:
        seconds: how long it was.
        unobserved: why nothing could be observed; None where something was.
    """

    seconds: float
    unobserved: str | None = None

    @property
    def disturbed(self) -> str | None:
        """Why the window should be discarded; None if it is undisturbed. The figures are in the fields."""
        return None


class UnobservedError(Exception):
    """Nothing can be observed, and why."""


class Discards(BaseModel):
    """What became of a number of windows.

    Attributes:
        count: windows discarded.
        kept: windows kept.
        reasons: how many were discarded for what, the most frequent first.
        unobserved: why windows could not be watched; None if all were.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    kept: int
    reasons: dict[str, int]
    unobserved: str | None = None

    def sentence(self) -> str:
        """In words."""
        if self.unobserved is not None and not self.count:
            return f"disturbances not watched for: {self.unobserved}"
        why = ", ".join(f"{reason} ({count})" for reason, count in self.reasons.items())
        return f"{self.count} of {self.count + self.kept} measurements discarded" + (f": {why}" if why else "")


def discards(observations: Iterable[Observation]) -> Discards:
    """Count the observations that say a window was disturbed, by reason."""
    observed = [*observations]
    reasons = Counter(reason for each in observed if (reason := each.disturbed) is not None)
    count = reasons.total()
    unobserved = next((each.unobserved for each in observed if each.unobserved is not None), None)
    return Discards(count=count, kept=len(observed) - count, reasons=dict(reasons.most_common()), unobserved=unobserved)
