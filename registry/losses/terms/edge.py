"""Terms that compare edges: Sobel edge maps, and the gradients of the error over scales."""

from __future__ import annotations

import torch
from torch import Tensor

from registry.contract import Head, Target
from registry.losses.terms import terms
from registry.losses.terms.reduction import keep, mean_over_images, pixel_mean, row_means, rows
from registry.ranges import between
from registry.ssim import whole_windows


@terms.register(heads=("mask", "depth"), source="proposed in system 001's assignment, never built; Sobel")
def edge(prediction: Head, target: Target) -> Tensor:
    """Mean absolute difference of the Sobel edge maps of the prediction and of the target, in [0, 1.42].

    An edge map is ``sqrt(gx**2 + gy**2 + 1e-6)``, with filters scaled so that a straight step of 1 scores 1; the
    outermost pixels, and the neighbours of invalid pixels, do not count.

    Args:
        prediction: the head, (B, 1, H, W), H and W at least 3.
        target: values in [0, 1], (B, 1, H, W).
    """
    valid = target.is_known
    predicted, true = (_sobel(keep(maps, valid)) for maps in (prediction.value, target.value))
    return pixel_mean((predicted - true).abs(), None if valid is None else whole_windows(valid, 3))


@terms.register(
    ranges={"scales": between(1, 12)}, heads=("depth",), source="Li and Snavely 2018; Ranftl et al. 2020 (MiDaS)"
)
def gradient(prediction: Head, target: Target, scales: int = 4) -> Tensor:
    """Gradient matching: absolute differences of the error between neighbours, summed over scales.

    At scale k every 2**k-th pixel is taken; the mean over horizontal pairs and the mean over vertical pairs add up,
    so the value lies in [0, 2 * scales] (a step of 1 between any two neighbours being 1).

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W); a pair counts if both pixels are valid.
        scales: how many scales; those at which less than two pixels are left add nothing.
    """
    valid = target.is_known
    error = prediction.value - target.value
    totals = error.new_zeros(len(error))
    for step in (2**scale for scale in range(scales) if 2**scale < min(error.shape[-2:])):
        coarse = error[..., ::step, ::step]
        at = None if valid is None else valid[..., ::step, ::step]
        for dim in (2, 3):
            pairs = None if at is None else rows(_both(at, dim))
            totals = totals + row_means(rows(coarse.diff(dim=dim).abs()), pairs)
    return mean_over_images(totals, None if valid is None else rows(valid))


def _sobel(maps: Tensor) -> Tensor:
    """Edge strength, (B, 1, H, W) to (B, 1, H - 2, W - 2); slices, as half-precision convolution would lose it."""
    down = maps[..., :-2, :] + 2 * maps[..., 1:-1, :] + maps[..., 2:, :]
    along = maps[..., :-2] + 2 * maps[..., 1:-1] + maps[..., 2:]
    gx = (down[..., 2:] - down[..., :-2]) / 4
    gy = (along[..., 2:, :] - along[..., :-2, :]) / 4
    return torch.sqrt(gx.square() + gy.square() + 1e-6)


def _both(valid: Tensor, dim: int) -> Tensor:
    size = valid.shape[dim] - 1
    return valid.narrow(dim, 0, size) & valid.narrow(dim, 1, size)
