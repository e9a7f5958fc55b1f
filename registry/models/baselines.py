"""Baselines without gradients: fitted in a single pass over the training split, they have no parameters.

A network that does not beat them has learnt nothing, whatever its Dice.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from registry.contract import Model, Prediction, Quartet
from registry.models import models

_SHARPNESS = 50.0
_CERTAIN = 1e-6


class Fitted(Model):
    """Base of the baselines: `fit` in a single pass, then predict; what was fitted is kept in buffers.

    A buffer is None until it is fitted, and stays None when the data lacks its target: that head is then None
    too. A state dict brings its buffers' sizes with it.

    Its builder is registered with ``fitted=True``, and with ``needs`` where it cannot do without ``bg`` or ``mask``.

    Attributes:
        found: names of the buffers.
    """

    found: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        super().__init__()
        for name in self.found:
            self.register_buffer(name, None)

    @abstractmethod
    def fit(self, batches: Iterable[Quartet]) -> None:
        """Fit to batches of any size in a single pass, keeping sums only; what is unknown of a target does not count.

        Raises:
            ValueError: no batch has the targets that this baseline needs.
        """

    @abstractmethod
    def answer(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """`predict`, after `fit`."""

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to the logits (B, 1, H, W) of the heads that were fitted.

        Raises:
            RuntimeError: `fit` was never called and no state was loaded.
        """
        if all(getattr(self, name) is None for name in self.found):
            raise RuntimeError(f"{type(self).__name__} is not fitted: call fit(batches), or load a fitted state")
        return self.answer(bg, bg_fg)

    def blocks(self) -> dict[str, list[nn.Module]]:
        """An empty dict: baselines have no parameters and no stages."""
        return {}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name in self.found:
            value = state_dict.get(prefix + name)
            setattr(self, name, None if value is None else torch.empty_like(value))
        super()._load_from_state_dict(state_dict, prefix, *rest)


class BackgroundDifference(Fitted):
    """Threshold on the largest channel difference between both images; no depth.

    Of 256 thresholds, half way between the levels of 8-bit images, it takes that with the best mean per-image
    Dice between ``difference > threshold`` and ``mask > 0.5``; an empty answer to an empty mask counts 1.
    """

    found = ("threshold",)
    threshold: Tensor | None

    def fit(self, batches: Iterable[Quartet]) -> None:
        """Choose the threshold.

        Raises:
            ValueError: no batch has masks.
        """
        score: Tensor | None = None
        for batch in batches:
            mask = batch.target("mask")
            if mask is not None:
                dice = _dice_per_threshold(_difference(*batch.inputs), mask.value > 0.5, mask.known).sum(dim=0)
                score = dice if score is None else score + dice
        if score is None:
            raise ValueError("difference needs masks to choose its threshold, and the data has none")
        self.threshold = _grid(score.device)[score.argmax()].clone()

    def answer(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Mask logits ``50 * (difference - threshold)``, (B, 1, H, W)."""
        assert self.threshold is not None
        difference = _difference(bg, bg_fg)
        return Prediction(mask_logits=(difference - self.threshold.to(difference)) * _SHARPNESS)


class MeanMap(Fitted):
    """Pixel by pixel the mean mask and the mean valid depth, resized bilinearly to the images at hand.

    A pixel whose depth was never known has the mean of all others. The maps have the size of the first batch;
    batches of other sizes are resized to it.
    """

    found = ("mask_mean", "depth_mean")
    mask_mean: Tensor | None
    depth_mean: Tensor | None

    def fit(self, batches: Iterable[Quartet]) -> None:
        """Take the means.

        Raises:
            ValueError: no batch has masks or valid depth.
        """
        mask, depth = _Mean(), _Mean()
        for batch in batches:
            for head, mean in (("mask", mask), ("depth", depth)):
                target = batch.target(head)
                if target is not None:
                    mean.add(self.pool(target.value * target.known), self.pool(target.known))
        self.mask_mean, self.depth_mean = mask.value(), depth.value()
        if self.mask_mean is None and self.depth_mean is None:
            raise ValueError(f"{type(self).__name__} needs masks or valid depth, and the data has neither")

    def pool(self, values: Tensor) -> Tensor:
        """Sum (B, 1, H, W) over what the mean is taken over, here the batch: (1, 1, H, W), float64."""
        return values.double().sum(dim=0, keepdim=True)

    def answer(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """The means as logits, (B, 1, H, W), the same for every image."""

        def logits(mean: Tensor | None) -> Tensor | None:
            """A mean map as logits, (B, 1, H, W); None where there is none."""
            if mean is None:
                return None
            mean = functional.interpolate(mean.to(bg), size=bg.shape[-2:], mode="bilinear", align_corners=False)
            return torch.logit(mean, eps=_CERTAIN).expand(bg.shape[0], -1, -1, -1)

        return Prediction(logits(self.mask_mean), logits(self.depth_mean))


class Constant(MeanMap):
    """The same everywhere: the mask's mean, and the mean of the valid depth."""

    def pool(self, values: Tensor) -> Tensor:
        """Sum (B, 1, H, W) over the batch and all pixels: (1, 1, 1, 1), float64."""
        return values.double().sum(dim=(0, 2, 3), keepdim=True)


class _Mean:
    """A mean from streamed sums and weights, (1, 1, H, W) each; later maps are resized to the size of the first."""

    def __init__(self) -> None:
        self._total: Tensor | None = None

    def add(self, weighted: Tensor, weight: Tensor) -> None:
        new = torch.cat([weighted, weight], dim=1)
        if self._total is None:
            self._total = new
            return
        if new.shape != self._total.shape:
            new = functional.interpolate(new, size=self._total.shape[-2:], mode="bilinear", align_corners=False)
        self._total = self._total + new

    def value(self) -> Tensor | None:
        if self._total is None or not self._total[:, 1].any():
            return None
        weighted, weight = self._total[:, :1], self._total[:, 1:]
        overall = weighted.sum() / weight.sum()
        return torch.where(weight > 0, weighted / weight, overall).float()


def _difference(bg: Tensor, bg_fg: Tensor) -> Tensor:
    return (bg_fg - bg).abs().amax(dim=1, keepdim=True)


def _grid(device: torch.device) -> Tensor:
    """The 256 thresholds, half a level below each 8-bit level: the first calls everything foreground."""
    return (torch.arange(256, device=device) - 0.5) / 255


def _dice_per_threshold(difference: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Dice of ``difference > threshold`` where it is known, for each threshold: (B, 1, H, W) thrice to (B, 256).

    One histogram per image, summed from the top, stands for 256 comparisons.
    """
    images = difference.shape[0]
    passed = torch.bucketize(difference.flatten(1).contiguous(), _grid(difference.device))
    truth, known = truth.flatten(1).double(), known.flatten(1).double()
    truth = truth * known

    def above(weight: Tensor) -> Tensor:
        counts = weight.new_zeros(images, 257).scatter_add_(1, passed, weight)
        return counts.flip(1).cumsum(1).flip(1)[:, 1:]

    predicted = above(known)
    size = predicted + truth.sum(dim=1, keepdim=True)
    return torch.where(size > 0, 2 * above(truth) / size.clamp(min=1), 1.0)


@models.register(stride=1, heads=("mask",), fitted=True, needs=("bg", "mask"), source="baseline")
def difference() -> BackgroundDifference:
    """Thresholded difference of both images, the threshold chosen on the training split."""
    return BackgroundDifference()


@models.register(stride=1, heads=("mask", "depth"), fitted=True, source="baseline")
def constant() -> Constant:
    """The mask's prior and the depth's mean, everywhere."""
    return Constant()


@models.register(stride=1, heads=("mask", "depth"), fitted=True, source="baseline")
def mean_map() -> MeanMap:
    """The pixel-wise mean mask and depth."""
    return MeanMap()
