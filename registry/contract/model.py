"""`Model`: the base class of every registered network."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from registry.contract.prediction import Prediction


class Model(nn.Module, ABC):
    """Base of every registered model: images in, `Prediction` out.

    A subclass sets ``stride`` and gives ``predict`` and ``blocks``; `forward` checks the size first.

    Attributes:
        stride: height and width of the images must be multiples of it.
        notes: what a reader of its figures should know: weights that were left out, weights that came from elsewhere.
    """

    stride: int = 1
    notes: tuple[str, ...] = ()

    @abstractmethod
    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to a `Prediction` of the same height and width."""

    @abstractmethod
    def blocks(self) -> dict[str, list[nn.Module]]:
        """The 4 to 12 top-level stages by name in forward order, each with its modules in the order they run.

        Together they hold every parameter, each once.
        """

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """`predict`, after a check of the size.

        Raises:
            ValueError: a side is no multiple of ``stride``.
        """
        height, width = bg.shape[-2:]
        if height % self.stride or width % self.stride:
            name = type(self).__name__
            raise ValueError(f"{name} takes sizes that are multiples of {self.stride}, not {height}x{width}")
        return self.predict(bg, bg_fg)
