"""Metrics of depth that is known up to a scale, or a scale and a shift: each image is aligned before it is judged.

Alignment sees the pixels of known depth alone. ``least_squares`` takes the scale and the shift of the least squared
error, ``median`` the ratio of the (lower) medians. An image with fewer than `ENOUGH` such pixels is NaN: two numbers
fitted to a handful of pixels make any prediction look good.
"""

from __future__ import annotations

from math import log
from typing import Literal

import torch
from torch import Tensor

from bench.metrics.view import FLOOR, View, numbers, total

By = Literal["least_squares", "median"]

ENOUGH = 10
"""Pixels of known depth that an image must have to be aligned."""


def depth_abs_rel_aligned(view: View, by: By = "least_squares") -> Tensor:
    """`depth_abs_rel` after alignment: ``mean(|a - t| / max(t, FLOOR))`` with a the aligned depth; 0 is best.

    Args:
        view: the batch.
        by: ``least_squares`` (scale and shift), or ``median`` (scale).

    Source: Ranftl et al. 2020 (MiDaS); Zhou et al. 2017 for the median.
    """
    error = torch.where(view.valid, (_aligned(view, by) - view.true_depth).abs(), 0.0)
    return _judged(view, view.mean(error / view.true_depth.clamp(min=FLOOR)))


def depth_delta1_aligned(view: View, by: By = "least_squares") -> Tensor:
    """`depth_delta1` after alignment: share of pixels with ``max(a / t, t / a) < 1.25``, in [0, 1].

    Args:
        view: the batch.
        by: ``least_squares`` (scale and shift), or ``median`` (scale).

    Source: as `depth_abs_rel_aligned`.
    """
    ratio = _aligned(view, by).clamp(min=FLOOR).log() - view.true_depth.clamp(min=FLOOR).log()
    return _judged(view, view.mean(numbers((ratio.abs() < log(1.25)) & view.valid)))


def _aligned(view: View, by: By) -> Tensor:
    """The predicted depth, aligned per image; map, meaningless where depth is unknown."""
    if by == "median":
        predicted, true = (_median(depth, view.valid) for depth in (view.depth, view.true_depth))
        return view.depth * (true / predicted.clamp(min=FLOOR)).view(-1, 1, 1, 1)
    # Centred, so that nothing cancels; a constant prediction is aligned by its shift alone.
    mean, true_mean = (view.mean(depth).view(-1, 1, 1, 1) for depth in (view.depth, view.true_depth))
    centred = torch.where(view.valid, view.depth - mean, 0.0)
    spread = total(centred.square())
    together = total(centred * torch.where(view.valid, view.true_depth - true_mean, 0.0))
    # Under float32's own rounding of the mean a spread is none.
    scale = torch.where(spread > 1e-12 * view.valid_pixels, together / spread, 0.0).view(-1, 1, 1, 1)
    return scale * centred + true_mean


def _median(depth: Tensor, valid: Tensor) -> Tensor:
    """The lower median of each image's known pixels, (B,)."""
    return torch.where(valid, depth, torch.nan).flatten(1).nanmedian(dim=1).values


def _judged(view: View, values: Tensor) -> Tensor:
    return torch.where(view.valid_pixels >= ENOUGH, values, torch.nan)
