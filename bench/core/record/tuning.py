"""`Tuning`: how a run's hyper-parameter was chosen."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.core.protocol import Protocol

UNTUNED = "untuned"
"""The division of runs whose values are the protocol's and the recipe's own."""

Edge = Literal["lowest", "highest"]


class TriedValue(BaseModel):
    """A value that was tried.

    Attributes:
        value: of the hyper-parameter.
        score: on validation; None where it has none.
        outcome: how its trial ended.
        epochs: that it was trained for; fewer than the protocol's where the trial was pruned.
        reference: whether it is the protocol's own value, outside of the grid and not to be chosen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    score: float | None = Field(allow_inf_nan=False)
    outcome: str
    epochs: int
    reference: bool = False


class Tuning(BaseModel):
    """How a run's hyper-parameter was chosen.

    Attributes:
        parameter: its path, such as ``optimizer.lr`` or ``loss.depth.ssim.weight``.
        value: that was chosen.
        edge: of the grid, if it lies there: a better value may lie beyond.
        trials: of every cell; the division is named after them.
        pruned: whether trials out of the running were stopped early.
        weights: of the heads in the score: the mean skill of their headline metrics on validation.
        tried: all values, ascending.
        untuned: the value that the protocol or the recipe has by itself.
        protocol, recipe: before tuning; a board is about this protocol.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameter: str
    value: float
    edge: Edge | None
    trials: int
    pruned: bool = False
    weights: dict[str, float]
    tried: list[TriedValue]
    untuned: float
    protocol: Protocol
    recipe: str

    @property
    def division(self) -> str:
        """The name of the division that its runs are ranked in."""
        return f"tuned ({self.trials} trials{', pruned' if self.pruned else ''})"

    @property
    def score(self) -> float | None:
        """What the chosen value scored on validation."""
        return next((tried.score for tried in self.tried if tried.value == self.value), None)

    @property
    def untuned_score(self) -> float | None:
        """What the protocol's own value scored on validation."""
        return next((tried.score for tried in self.tried if tried.value == self.untuned), None)
