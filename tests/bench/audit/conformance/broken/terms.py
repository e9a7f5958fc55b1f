"""Terms that break one rule each, as people write them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from registry.contract import Head, Target


def three(prediction: Head, target: Target, weight: Tensor) -> Tensor:
    return squared(prediction, target) * weight.mean()


def squared(prediction: Head, target: Target) -> Tensor:
    """Sound; the others below are made of it."""
    known = target.known > 0.5
    error = torch.where(known, prediction.value - torch.where(known, target.value, 0.0), 0.0)
    return (error.square().flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)).mean()


def per_image(prediction: Head, target: Target) -> Tensor:
    return (prediction.value - target.value).square().flatten(1).mean(1)


def number(prediction: Head, target: Target) -> Any:
    return float(squared(prediction, target).detach())


def hard(prediction: Head, target: Target) -> Tensor:
    return ((prediction.value > 0.5).float() - target.value).abs().mean()


def of_logits(prediction: Head, target: Target) -> Tensor:
    return (prediction.logits - target.value).square().mean()


def upside_down(prediction: Head, target: Target) -> Tensor:
    return 1 - squared(prediction, target)


def relative(prediction: Head, target: Target) -> Tensor:
    return ((prediction.value - target.value).abs().sum() / target.value.sum()).mean()


def offset(prediction: Head, target: Target) -> Tensor:
    return squared(prediction, target) + 0.01


def everywhere(prediction: Head, target: Target) -> Tensor:
    error = (prediction.value - target.value).square() * target.known.mean().ceil()
    return torch.where(target.known.sum() > 0, error.mean(), error.sum() * 0)


def everywhere_on_masks(prediction: Head, target: Target) -> Tensor:
    return (prediction.value - target.stored).square().mean()


def multiplied(prediction: Head, target: Target) -> Tensor:
    """Takes what is stored and masks by multiplication: 0 * NaN is NaN."""
    error = (prediction.value - target.stored).square() * target.known
    return error.sum() / target.known.sum().clamp(min=1)


def entropy(prediction: Head, target: Target) -> Tensor:
    known = target.known > 0.5
    value, truth = torch.where(known, prediction.value, 0.5), torch.where(known, target.value, 0.5)
    cost = -(truth * value.log() + (1 - truth) * (1 - value).log())
    return torch.where(known, cost, 0.0).sum() / known.sum().clamp(min=1)


def in_place(prediction: Head, target: Target) -> Tensor:
    target.value.clamp_(0.1, 0.9)
    return squared(prediction, target)


def random(prediction: Head, target: Target) -> Tensor:
    return squared(prediction, target) * (1 + torch.rand(()))


def of_the_batch(prediction: Head, target: Target) -> Tensor:
    return squared(prediction, target).clamp(min=1e-12).sqrt()


def double(prediction: Head, target: Target) -> Tensor:
    return squared(prediction, target).double()


TERMS = [
    (per_image, "scalar", r"shape \(3,\): take the mean"),
    (number, "scalar", "returns a float"),
    (hard, "scalar", "does not depend on the prediction"),
    (double, "scalar", "float64"),
    (of_logits, "optimum", "at the truth and"),
    (upside_down, "optimum", "its complement|noise"),
    (relative, "uniform_targets", "on an empty target"),
    (offset, "nothing_known", "0.01 where no depth is known"),
    (everywhere, "unknown_pixels", "with other depth where depth is unknown"),
    (multiplied, "unknown_pixels", "with NaN where depth is unknown"),
    (everywhere_on_masks, "unknown_mask", "where the mask is unknown"),
    (entropy, "far_logits", "at logits of"),
    (in_place, "inputs", "alters target.value"),
    (random, "repeatable", "two calls give"),
    (of_the_batch, "mean_over_images", "over a batch"),
    (double, "rounded_logits", "float64"),
]
