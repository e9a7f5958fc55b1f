"""Terms that compare regions as a whole, by overlap: Dice, IoU, Tversky, Lovasz."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from registry.contract import Head, Target
from registry.losses.terms import terms
from registry.losses.terms.reduction import Pool, keep, mean_over_images, rows
from registry.ranges import between

Overlap = Literal["product", "min"]
"""How much of a pixel both have: ``p * t``, as is usual, or ``min(p, t)``. They agree on a binary target. On a
continuous target only ``min`` reaches 1 at p = t; the product is best where p is 1 on one side of a threshold.
Source of ``min``: Wang et al. 2023, Dice semimetric losses; segmentation_models_pytorch has it too."""


SMOOTH = between(1e-6, 1e6)
"""Pixels that are added; without any, two empty masks would be divided by nothing."""


def _sums(
    prediction: Head, target: Target, overlap: Overlap, pool: Pool
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Per row: the intersection, the prediction, the target; and where rows are valid."""
    valid = target.is_known
    at = None if valid is None else rows(valid, pool)
    predicted = keep(rows(prediction.value, pool), at)
    true = keep(rows(target.value.to(predicted.dtype), pool), at)
    both = predicted * true if overlap == "product" else torch.minimum(predicted, true)
    return both.sum(1), predicted.sum(1), true.sum(1), at


@terms.register(ranges={"smooth": SMOOTH}, heads=("mask",), source="systems 001, 002, 004; Milletari et al. 2016")
def dice(
    prediction: Head, target: Target, smooth: float = 1.0, overlap: Overlap = "product", pool: Pool = "image"
) -> Tensor:
    """Dice loss ``1 - (2 I + s) / (P + T + s)``, in [0, 1].

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        smooth: s, in pixels; makes two empty masks agree.
        overlap: ``product``, or ``min`` for a continuous target such as depth.
        pool: sums per image, or over the whole batch as systems 002 and 004 have it.
    """
    both, predicted, true, at = _sums(prediction, target, overlap, pool)
    return mean_over_images(1 - (2 * both + smooth) / (predicted + true + smooth), at)


@terms.register(ranges={"smooth": SMOOTH}, heads=("mask",), source="system 003; Rahman and Wang 2016")
def iou(
    prediction: Head, target: Target, smooth: float = 1.0, overlap: Overlap = "product", pool: Pool = "image"
) -> Tensor:
    """Intersection over union as a loss, ``1 - (I + s) / (P + T - I + s)``, in [0, 1].

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        smooth: s, in pixels; makes two empty masks agree.
        overlap: ``product``, or ``min`` for a continuous target such as depth.
        pool: sums per image, or over the whole batch as system 003 has it.
    """
    both, predicted, true, at = _sums(prediction, target, overlap, pool)
    return mean_over_images(1 - (both + smooth) / (predicted + true - both + smooth), at)


@terms.register(
    ranges={"alpha": between(0, 100), "beta": between(0, 100), "smooth": SMOOTH},
    heads=("mask",),
    source="Salehi et al. 2017; segmentation_models_pytorch.losses.TverskyLoss",
)
def tversky(prediction: Head, target: Target, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0) -> Tensor:
    """Tversky loss ``1 - (I + s) / (I + alpha FP + beta FN + s)``, in [0, 1]; I is the sum of ``min(p, t)``.

    Both weights at a half give Dice with twice the ``smooth``.

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        alpha: weight of false positives.
        beta: weight of false negatives.
        smooth: s, in pixels.
    """
    both, predicted, true, at = _sums(prediction, target, "min", "image")
    wrong = alpha * (predicted - both) + beta * (true - both)
    return mean_over_images(1 - (both + smooth) / (both + wrong + smooth), at)


@terms.register(heads=("mask",), source="Berman et al. 2018; segmentation_models_pytorch.losses.LovaszLoss")
def lovasz(prediction: Head, target: Target) -> Tensor:
    """Lovasz hinge: the convex surrogate of 1 - IoU, per image, on the logits; 0 once every margin exceeds 1.

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W); over a half is foreground.
    """
    valid = target.is_known
    at = None if valid is None else rows(valid)
    true = keep((rows(target.value) > 0.5).to(prediction.logits.dtype), at)
    # An invalid pixel has a hinge of 0 and so sorts behind every error.
    hinge = keep((1 - rows(prediction.logits) * (2 * true - 1)).relu(), at)
    errors, order = hinge.sort(dim=1, descending=True)
    true = true.gather(1, order)
    total = true.sum(1, keepdim=True)
    jaccard = 1 - (total - true.cumsum(1)) / (total + (1 - true).cumsum(1))
    steps = torch.diff(jaccard, dim=1, prepend=jaccard.new_zeros(len(jaccard), 1))
    return mean_over_images((errors * steps).sum(1), at)
