"""Terms made for depth: scale-invariant log error, berHu, and error after aligning scale and shift."""

from __future__ import annotations

import torch
from torch import Tensor

from registry.contract import Head, Target
from registry.losses.terms import terms
from registry.losses.terms.reduction import keep, mean_over_images, row_means, rows
from registry.ranges import above, between

_EPS = between(1e-6, 1)


@terms.register(ranges={"focus": between(0, 1), "eps": _EPS}, heads=("depth",), source="Eigen, Puhrsch and Fergus 2014")
def silog(prediction: Head, target: Target, focus: float = 0.5, eps: float = 1e-3) -> Tensor:
    """Scale-invariant log error ``mean(d**2) - focus * mean(d)**2`` with d = ln(p + eps) - ln(t + eps); at least 0.

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        focus: lambda of the paper: 0 is the plain squared log error, 1 does not see a common factor at all.
        eps: added before the logarithm, as depth may be 0 in a data set's encoding.
    """
    valid = target.is_known
    at = None if valid is None else rows(valid)
    difference = keep(rows((prediction.value + eps).log() - (target.value + eps).log()), at)
    return mean_over_images(row_means(difference.square(), at) - focus * row_means(difference, at).square(), at)


@terms.register(ranges={"share": above(0, 1)}, heads=("depth",), source="Laina et al. 2016")
def berhu(prediction: Head, target: Target, share: float = 0.2) -> Tensor:
    """Reverse Huber: ``|e|`` up to c, ``(e**2 + c**2) / (2 c)`` beyond; c is a share of the image's largest error.

    c is per image (the paper has it per batch) and no gradient flows through it, as in the paper.

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        share: c over the largest absolute error, in (0, 1].
    """
    valid = target.is_known
    at = None if valid is None else rows(valid)
    error = keep(rows((prediction.value - target.value).abs()), at)
    c = (share * error.detach().amax(1, keepdim=True)).clamp(min=1e-6)
    return mean_over_images(row_means(torch.where(error <= c, error, (error.square() + c * c) / (2 * c)), at), at)


@terms.register(ranges={"eps": _EPS}, heads=("depth",), source="Ranftl et al. 2020 (MiDaS), the untrimmed MAE form")
def ssi(prediction: Head, target: Target, eps: float = 1e-3) -> Tensor:
    """Scale- and shift-invariant error: half the mean absolute difference after both maps are aligned; at least 0.

    Each map has its median (the lower of the two middle values) taken off and is divided by its mean absolute
    deviation from it. What it cannot see is absolute depth: pair it with a term that does.

    Args:
        prediction: the head, (B, 1, H, W).
        target: values in [0, 1], (B, 1, H, W).
        eps: the least deviation that is divided by, so that a constant map has a bounded gradient.
    """
    valid = target.is_known
    at = None if valid is None else rows(valid)
    predicted, true = (_aligned(rows(maps), at, eps) for maps in (prediction.value, target.value))
    return mean_over_images(row_means((predicted - true).abs(), at) / 2, at)


def _aligned(values: Tensor, valid: Tensor | None, eps: float) -> Tensor:
    if valid is None:
        median = values.median(1, keepdim=True).values
    else:
        # The median of nothing is NaN; an image without a valid pixel is left out later, and must be finite till then.
        median = keep(values, valid, fill=torch.nan).nanmedian(1, keepdim=True).values.nan_to_num()
    centred = values - median
    return centred / row_means(centred.abs(), valid).clamp(min=eps).unsqueeze(1)
