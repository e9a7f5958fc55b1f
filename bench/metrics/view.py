"""`View`: prediction and truth of a batch as metrics need them, each shared intermediate computed once."""

from __future__ import annotations

from functools import cached_property
from math import hypot
from typing import TypeVar

import torch
from torch import Tensor

from bench.metrics.boundary import contour, distance_to
from registry.contract import Head, Prediction, Quartet, Target
from registry.ssim import ssim_of

T = TypeVar("T")

FLOOR = 1 / 255
"""Depths below a step of an 8-bit map count as that step where a ratio or a logarithm is taken.

Per-image min-max encodings hold true depths of 0, for which a ratio is meaningless; in a metric encoding of 10 m
this is 4 cm, nearer than any camera sees.
"""


class View:
    """Prediction and truth of a batch, per image, on their own device, without synchronisation.

    Everything is computed when it is first needed, and kept. "Flat" tensors are (B, H * W), maps (B, 1, H, W).
    What the batch does not offer raises LookupError.
    """

    def __init__(self, prediction: Prediction, quartet: Quartet) -> None:
        self._prediction = prediction
        self._quartet = quartet

    def __len__(self) -> int:
        return len(self._quartet)

    @property
    def device(self) -> torch.device:
        """Where the batch lies."""
        return self._quartet.bg_fg.device

    @cached_property
    def offers(self) -> frozenset[str]:
        """Which of "mask", "depth" (both predicted and true) and "true_mask" the batch has."""
        prediction, quartet = self._prediction, self._quartet
        offered = {
            "mask": prediction.mask is not None and quartet.mask is not None,
            "depth": prediction.depth is not None and quartet.depth is not None,
            "true_mask": quartet.mask is not None,
        }
        return frozenset(name for name, has_it in offered.items() if has_it)

    def judged(self, head: str) -> tuple[Head, Target]:
        """The prediction and the target of a head, as loss terms get them."""
        predicted: Head = _required(getattr(self._prediction, head), f"predicted {head}")
        return predicted, _required(self._quartet.target(head), f"true {head}")

    @cached_property
    def mask(self) -> Tensor:
        """Predicted mask in [0, 1], 0 where the truth is unknown, map."""
        value = _required(self._prediction.mask, "predicted mask").value.float()
        return value if self.mask_valid is None else torch.where(self.mask_valid, value, 0.0)

    @cached_property
    def true_mask(self) -> Tensor:
        """True (soft) mask in [0, 1], 0 where it is unknown, map."""
        return _required(self._quartet.target("mask"), "true mask").value.float()

    @cached_property
    def mask_valid(self) -> Tensor | None:
        """Where the true mask is known, bool map; None where it is everywhere."""
        return _required(self._quartet.target("mask"), "true mask").is_known

    @cached_property
    def mask_pixels(self) -> Tensor:
        """How many pixels have a known mask, (B,)."""
        if self.mask_valid is None:
            return torch.full((len(self),), float(self.true_mask[0].numel()), device=self.device)
        return count(self.mask_valid)

    @cached_property
    def on(self) -> Tensor:
        """Where the predicted mask exceeds 0.5, bool map."""
        return self.mask > 0.5

    @cached_property
    def true_on(self) -> Tensor:
        """Where the true mask exceeds 0.5, bool map."""
        return self.true_mask > 0.5

    @cached_property
    def pixels_on(self) -> tuple[Tensor, Tensor, Tensor]:
        """How many pixels are on in the prediction, in the truth, and in both; (B,) each."""
        return count(self.on), count(self.true_on), count(self.on & self.true_on)

    @cached_property
    def contour(self) -> Tensor:
        """The outermost pixels of the predicted mask, bool map."""
        return contour(self.on, self.mask_valid)

    @cached_property
    def true_contour(self) -> Tensor:
        """The outermost pixels of the true mask, bool map."""
        return contour(self.true_on, self.mask_valid)

    @property
    def diagonal(self) -> float:
        """The picture's, in pixels."""
        return hypot(*self.on.shape[-2:])

    @cached_property
    def contour_distances(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """For the predicted and for the true contour: distances to the other in pixels, and where the contour is.

        Maps; distances are 0 off the contour, and the picture's diagonal if the other mask has no contour.
        """
        predicted, true = self.contour, self.true_contour
        to_true, to_predicted = (distance_to(other).clamp(max=self.diagonal) for other in (true, predicted))
        return (torch.where(predicted, to_true, 0.0), predicted), (torch.where(true, to_predicted, 0.0), true)

    @cached_property
    def valid(self) -> Tensor:
        """Where the true depth is known, bool map."""
        return _required(self._quartet.valid, "true depth") > 0.5

    @cached_property
    def depth(self) -> Tensor:
        """Predicted depth in [0, 1], 0 where the truth is unknown, map."""
        return self._known(_required(self._prediction.depth, "predicted depth").value.float())

    @cached_property
    def true_depth(self) -> Tensor:
        """True depth in [0, 1], 0 where it is unknown, map."""
        return self._known(_required(self._quartet.depth, "true depth").float())

    @cached_property
    def valid_pixels(self) -> Tensor:
        """How many pixels have a known depth, (B,)."""
        return count(self.valid)

    @cached_property
    def error(self) -> Tensor:
        """Absolute error of the depth, 0 where the truth is unknown, map."""
        return (self.depth - self.true_depth).abs()

    @cached_property
    def squared_error(self) -> Tensor:
        """Squared error of the depth, 0 where the truth is unknown, map."""
        return self.error.square()

    @cached_property
    def log_ratio(self) -> Tensor:
        """``log(predicted / true)`` of the depth, each at least `FLOOR`; 0 where the truth is unknown; map."""
        return self.depth.clamp(min=FLOOR).log() - self.true_depth.clamp(min=FLOOR).log()

    @cached_property
    def log_factor(self) -> Tensor:
        """``log(max(p / t, t / p))`` of the depth, as `log_ratio`."""
        return self.log_ratio.abs()

    def depth_similarity(self, window: int) -> Tensor:
        """SSIM of the depth, (B, 1, H - window + 1, W - window + 1), shared with a recipe's SSIM term.

        It means nothing, and may be NaN, where a window holds a pixel of unknown depth.
        """
        head, true = _required(self._prediction.depth, "predicted depth"), _required(self._quartet.depth, "true depth")
        return ssim_of(head, true, window).float()

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the pixels of known depth of a map that is 0 elsewhere, (B,); NaN without such pixels."""
        return total(values) / self.valid_pixels

    @cached_property
    def broken(self) -> dict[str, Tensor]:
        """Which images have a NaN in their prediction, by head, bool (B,)."""
        # A sum of values in [0, 1] is NaN exactly when one of them is.
        return {name: total(head.value).isnan() for name, head in self._prediction.heads()}

    def _known(self, depth: Tensor) -> Tensor:
        return torch.where(self.valid, depth, 0.0)


def total(values: Tensor) -> Tensor:
    """Sum over each image of a map, (B,)."""
    return values.flatten(1).sum(dim=1)


def count(on: Tensor) -> Tensor:
    """How many pixels of each image are on in a bool map, (B,), float32 (exact up to 2^24)."""
    return total(numbers(on))


def numbers(on: Tensor) -> Tensor:
    """A bool map as 0 and 1, float32; by way of bytes, which takes a CPU an eighth of the time."""
    return on.view(torch.uint8).float()


def _required(value: T | None, name: str) -> T:
    if value is None:
        raise LookupError(f"this batch has no {name}")
    return value
