"""A model that fails in training, in a way that can be chosen."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from registry.contract import Prediction


class Faulty(nn.Module):
    """A convolution that fails in its third step of training: it is tried before, on one.

    Args:
        does: ``raise``, ``exit``, ``nan`` or ``memory``.
    """

    stride = 1

    def __init__(self, does: str) -> None:
        super().__init__()
        self.conv, self.does, self.steps = nn.Conv2d(6, 2, 1), does, 0

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both heads from one convolution, unless it fails."""
        mask, depth = self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1)
        self.steps += self.training
        if self.steps >= 3:
            if self.does == "raise":
                raise ValueError("a fault of the model")
            if self.does == "exit":
                raise SystemExit(0)
            if self.does == "memory":
                raise torch.OutOfMemoryError("a fault of the model: out of memory")
            mask = mask * float("nan")
        return Prediction(mask, depth)


def faulty(does: str = "raise") -> nn.Module:
    """The model as a builder that ``--model`` takes."""
    return Faulty(does)
