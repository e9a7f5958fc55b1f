"""`MetricFacts`: what is known about a metric, as data; what a record carries so that pages need not import it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

MetricHead = Literal["mask", "depth", "joint"]


class MetricFacts(BaseModel):
    """What a metric judges, in which direction, and where and how it is shown.

    Summed up over images with values v and weights w (1 without ``weight``) a metric reads
    ``(sum(w * v**power) / sum(w)) ** (1 / power)``, over the images where it is defined.

    Attributes:
        head: what it judges: ``mask``, ``depth`` or, of both at once, ``joint``.
        higher_is_better: its direction.
        perfect: the value of a perfect prediction.
        summary: a line for lists.
        column: its heading in tables, without the head: ``Dice``, ``RMSE``.
        unit: "" for fractions and ratios, ``range`` for fractions of the depth encoding's range, ``px``, ``%``.
        order: metrics are shown in ascending order.
        headline: shown where space is short: README excerpt, epochs, transfer.
        compared: shown by ``bench compare`` and after a run unless metrics are named.
        ranks: rows of the leaderboard are in the order of the mean of these.
        table: title of the leaderboard's table in which it stands; None where it stands in the records alone.
        on_request: computed only where ``--metric`` names it.
        needs: what a batch must offer (`bench.metrics.view.View.offers`), else the metric is undefined for it.
        bounds: the smallest and the largest possible value; None for no bound.
        weight: the attribute of `bench.metrics.view.View` that weighs the images; None for equal weights.
        power: exponent of the mean.
        code: hash of the user's code that computes it; "" for those of this package.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: MetricHead
    higher_is_better: bool
    perfect: float
    summary: str = ""
    column: str = ""
    unit: str = ""
    order: int = 1000
    headline: bool = False
    compared: bool = False
    ranks: bool = False
    table: str | None = None
    on_request: bool = False
    needs: tuple[str, ...] = ()
    bounds: tuple[float | None, float | None] = (None, None)
    weight: str | None = None
    power: int = 1
    code: str = ""

    @property
    def arrow(self) -> str:
        """Its direction in tables."""
        return "↑" if self.higher_is_better else "↓"

    def better(self, score: float, other: float) -> bool:
        """Whether ``score`` is better than ``other`` in this metric's direction; False for NaN."""
        return score > other if self.higher_is_better else score < other
