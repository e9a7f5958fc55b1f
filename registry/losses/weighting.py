"""How the heads' losses are combined: as written, by learned uncertainty, or by dynamic weight average."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Fixed(nn.Module):
    """The plain sum: with the recipe's weights alone."""

    def __init__(self, heads: int) -> None:
        super().__init__()

    def forward(self, losses: Tensor) -> Tensor:
        """The heads' losses (heads,) to a scalar."""
        return losses.sum()

    def epoch_end(self, means: Tensor) -> None:
        """Takes note of the epoch's mean loss of each head, (heads,); here nothing follows from it."""


class Uncertainty(Fixed):
    """Homoscedastic uncertainty, ``sum exp(-s_h) L_h + s_h``, with a learned log variance s_h per head, at first 0.

    A head whose loss can reach 0 leaves it without a lower bound. Source: Kendall, Gal and Cipolla 2018. The
    parameters must reach the optimizer.
    """

    def __init__(self, heads: int) -> None:
        super().__init__(heads)
        self.log_variance = nn.Parameter(torch.zeros(heads))

    def forward(self, losses: Tensor) -> Tensor:
        """The heads' losses (heads,) to a scalar, which may be negative."""
        return (torch.exp(-self.log_variance) * losses + self.log_variance).sum()


class DynamicAverage(Fixed):
    """Dynamic weight average: the head whose loss fell least over the last two epochs weighs most.

    Weights are ``heads * softmax(r / 2)`` with r_h the ratio of the mean losses of the last two epochs; all 1
    until two epochs are over. Source: Liu, Johns and Davison 2019, temperature 2.
    """

    temperature = 2.0
    weights: Tensor
    last: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__(heads)
        self.register_buffer("weights", torch.ones(heads))
        self.register_buffer("last", torch.full((heads,), torch.nan))

    def forward(self, losses: Tensor) -> Tensor:
        """The heads' losses (heads,) to a scalar."""
        return (self.weights * losses).sum()

    @torch.no_grad()
    def epoch_end(self, means: Tensor) -> None:
        """Set the next epoch's weights from the mean losses of this epoch and the last, (heads,) each."""
        means = means.to(self.last)
        ratio = means / self.last
        weights = len(means) * torch.softmax(ratio / self.temperature, dim=0)
        self.weights.copy_(torch.where(weights.isfinite().all(), weights, 1.0))
        self.last.copy_(means)


SCHEMES: dict[str, type[Fixed]] = {"fixed": Fixed, "uncertainty": Uncertainty, "dwa": DynamicAverage}
"""The weightings a recipe can name."""
