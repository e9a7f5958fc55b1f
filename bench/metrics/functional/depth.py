"""Metrics of the depth, each a value per image, (B,), float32. The function's name is the metric's key.

All see the activated depth and count pixels of known depth only; an image without any is NaN. Errors are fractions
of the encoding's range. Where a ratio is taken, depths below `bench.metrics.view.FLOOR` count as that.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from bench.metrics.boundary import dilate
from bench.metrics.view import FLOOR, View, count, numbers, total
from registry.ssim import whole_windows

_SSIM_WINDOW = 11
_TO_DIAGONAL_NEIGHBOUR = 1.5


def depth_rmse(view: View) -> Tensor:
    """``sqrt(mean((p - t)^2))``, in [0, 1]."""
    return view.mean(view.squared_error).sqrt()


def depth_rmse_pooled(view: View) -> Tensor:
    """`depth_rmse` of an image; summed up over images as ``sqrt(sum(n rmse^2) / sum(n))`` with n its valid pixels.

    That is a single root over all valid pixels of all images, where `depth_rmse` is the mean of roots.
    """
    return depth_rmse(view)


def depth_mae(view: View) -> Tensor:
    """``mean(|p - t|)``, in [0, 1]."""
    return view.mean(view.error)


def depth_abs_rel(view: View) -> Tensor:
    """``mean(|p - t| / max(t, FLOOR))``, in [0, 255]. Source: Eigen, Puhrsch and Fergus 2014."""
    return view.mean(view.error / view.true_depth.clamp(min=FLOOR))


def depth_delta1(view: View) -> Tensor:
    """Share of pixels with ``max(p / t, t / p) < 1.25``, in [0, 1]. Source: Eigen, Puhrsch and Fergus 2014."""
    return _within(view, 1)


def depth_delta2(view: View) -> Tensor:
    """Share of pixels with ``max(p / t, t / p) < 1.25^2``, in [0, 1]."""
    return _within(view, 2)


def depth_delta3(view: View) -> Tensor:
    """Share of pixels with ``max(p / t, t / p) < 1.25^3``, in [0, 1]."""
    return _within(view, 3)


def depth_silog(view: View) -> Tensor:
    """``100 sqrt(mean(d^2) - mean(d)^2)`` with ``d = log p - log t``, in per cent.

    The fully scale-invariant form (lambda = 1, natural logarithm), as the KITTI benchmark reports it; NaN for fewer
    than two pixels.
    Source: Eigen, Puhrsch and Fergus 2014.
    """
    # In two passes: the difference of two means would cancel in float32. One pixel has no spread.
    shift = view.mean(view.log_ratio).view(-1, 1, 1, 1)
    spread = torch.where(view.valid, view.log_ratio - shift, 0.0)
    return torch.where(view.valid_pixels > 1, 100 * view.mean(spread.square()).sqrt(), torch.nan)


def depth_ssim(view: View) -> Tensor:
    """Mean SSIM, in [-1, 1], over the 11x11 windows (Gaussian, sigma 1.5, range 1) without unknown pixels.

    NaN where no window is. Source: Wang, Bovik, Sheikh and Simoncelli 2004.
    """
    if min(view.depth.shape[-2:]) < _SSIM_WINDOW:
        return torch.full_like(view.valid_pixels, torch.nan)
    similarity = view.depth_similarity(_SSIM_WINDOW)
    whole = whole_windows(view.valid, _SSIM_WINDOW)
    return total(torch.where(whole, similarity, 0.0)) / count(whole)


def depth_rmse_fg(view: View) -> Tensor:
    """`depth_rmse` over the pixels where the true mask exceeds 0.5; NaN without such pixels."""
    return _rmse_where(view, view.true_on)


def depth_rmse_bg(view: View) -> Tensor:
    """`depth_rmse` over the pixels where the true mask is at most 0.5; NaN without such pixels."""
    outside = ~view.true_on if view.mask_valid is None else view.mask_valid & ~view.true_on
    return _rmse_where(view, outside)


def depth_rmse_band(view: View) -> Tensor:
    """`depth_rmse` in a band 3 px wide along the true mask's edge; NaN where the mask has none.

    The band is the mask's contour (its outermost pixels, the picture's rim is none) and their eight neighbours.
    """
    return _rmse_where(view, dilate(view.true_contour, _TO_DIAGONAL_NEIGHBOUR))


def _within(view: View, steps: int) -> Tensor:
    close = view.log_factor < steps * log(1.25)
    return view.mean(numbers(close & view.valid))


def _rmse_where(view: View, region: Tensor) -> Tensor:
    return (total(view.squared_error * numbers(region)) / count(view.valid & region)).sqrt()
