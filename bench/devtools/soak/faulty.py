"""A model that fails in training, in a way that can be chosen."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from registry.contract import Prediction


class Faulty(nn.Module):
    """A convolution that fails on batches of 8, which only training has.

    Args:
        does: ``raise``, ``exit``, ``nan`` or ``memory``.
    """

    stride = 1

    def __init__(self, does: str) -> None:
        super().__init__()
        self.conv, self.does = nn.Conv2d(6, 2, 1), does

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both heads from one convolution, unless it fails."""
        mask, depth = self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1)
        if self.training and len(bg) == 8:
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
