"""Terms that compare pixel by pixel: cross entropy, focal, absolute and squared error."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from registry.contract import Head, Target
from registry.losses.terms import terms
from registry.losses.terms.reduction import Pool, mean_over_images, output, pixel_mean, row_means, rows
from registry.ranges import between, inside


@terms.register(heads=("mask", "depth"), source="torch.nn.functional.binary_cross_entropy_with_logits")
def bce(prediction: Head, target: Target, twice: bool = False) -> Tensor:
    """Binary cross entropy of the logits, natural logarithm, in nats per pixel.

    Its minimum is the target's own entropy, which is 0 for a binary mask but not for depth or soft alpha.

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W); outside [0, 1] the term has no lower bound.
        twice: put a sigmoid before the logits are taken as such, the fault of system 001, row 3.
    """
    logits = output(prediction, raw=not twice)
    loss = functional.binary_cross_entropy_with_logits(logits, target.value.to(logits.dtype), reduction="none")
    return pixel_mean(loss, target.is_known)


@terms.register(
    ranges={"gamma": between(0, 50), "balance": inside(0, 1)},
    heads=("mask",),
    source="Lin et al. 2017; segmentation_models_pytorch.losses.FocalLoss",
)
def focal(prediction: Head, target: Target, gamma: float = 2.0, balance: float = 0.5) -> Tensor:
    """Focal loss ``w (1 - q)**gamma * BCE`` with q = exp(-BCE); w is 1 for both classes when ``balance`` is a half.

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        gamma: how much easy pixels are played down; 0 is plain BCE.
        balance: alpha of the paper, the share of the foreground's weight, in (0, 1).
    """
    value = target.value.to(prediction.logits.dtype)
    entropy = functional.binary_cross_entropy_with_logits(prediction.logits, value, reduction="none")
    weight = 2 * (balance * value + (1 - balance) * (1 - value))
    # A power under 1 has no finite derivative at 0; in the product with the entropy it has, so 0 itself is kept off.
    wrong = (-torch.expm1(-entropy)).clamp(min=1e-30)
    return pixel_mean(weight * wrong**gamma * entropy, target.is_known)


@terms.register(heads=("mask", "depth"), source="torch.nn.functional.l1_loss")
def l1(prediction: Head, target: Target, raw: bool = False) -> Tensor:
    """Mean absolute error, in [0, 1].

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        raw: compare the logits, the fault of system 002.
    """
    return pixel_mean((output(prediction, raw) - target.value).abs(), target.is_known)


@terms.register(heads=("mask", "depth"), source="torch.nn.functional.mse_loss")
def l2(prediction: Head, target: Target, raw: bool = False) -> Tensor:
    """Mean squared error, in [0, 1].

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        raw: compare the logits.
    """
    return pixel_mean((output(prediction, raw) - target.value).square(), target.is_known)


@terms.register(heads=("mask", "depth"), source="systems 000 and 004")
def rmse(prediction: Head, target: Target, raw: bool = False, pool: Pool = "image") -> Tensor:
    """Root mean squared error ``sqrt(MSE + 1e-6)``, in [0.001, 1]; the 1e-6 keeps the gradient finite at 0.

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        raw: compare the logits, the fault of system 000.
        pool: a root per image, or over the whole batch as in the originals.
    """
    error = (output(prediction, raw) - target.value).square()
    valid = target.is_known
    at = None if valid is None else rows(valid, pool)
    return mean_over_images((row_means(rows(error, pool), at) + 1e-6).sqrt(), at)
