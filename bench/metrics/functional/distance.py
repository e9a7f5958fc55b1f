"""Metrics of the distance between the contours of two masks, each a value per image, (B,), float32, in pixels.

A contour is that of `bench.metrics.boundary.contour`: the picture's rim is none. Where neither mask has a contour
(empty, or full) the masks are the same or not: 0 px if they are, else the picture's diagonal, the greatest possible
distance, as where only one of them has a contour. Distances are exact. They cost more than all other metrics together,
so they are computed on request.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.metrics.view import View, count, total


def mask_hd95(view: View) -> Tensor:
    """The larger of two 95th percentiles: of the distances of P's contour to T's, and of T's to P's; 0 is best.

    Percentiles interpolate linearly. Source: Huttenlocher et al. 1993; Taha and Hanbury 2015.
    """
    farthest = torch.maximum(*(_percentile(d, at, 0.95) for d, at in view.contour_distances))
    return _answered(view, farthest, same=0.0, other=view.diagonal)


def mask_assd(view: View) -> Tensor:
    """Mean distance of all pixels of both contours to the other contour; 0 is best. Source: Heimann et al. 2009."""
    apart = sum((total(d) for d, _ in view.contour_distances), torch.zeros(())) / _length(view)
    return _answered(view, apart, same=0.0, other=view.diagonal)


def mask_nsd(view: View, tolerance: float = 1.0) -> Tensor:
    """Share of the pixels of both contours that lie within ``tolerance`` px of the other contour, in [0, 1].

    The normalised surface dice, 1 where neither mask has a contour and they are the same, 0 where only one of them has.

    Args:
        view: the batch.
        tolerance: in pixels, at least 0.

    Source: Nikolov et al. 2018.
    """
    near = sum((count((d <= tolerance) & at) for d, at in view.contour_distances), torch.zeros(()))
    return _answered(view, near / _length(view), same=1.0, other=0.0)


def _percentile(values: Tensor, at: Tensor, share: float) -> Tensor:
    """A percentile of the values where ``at``, per image, (B,); meaningless, but finite, without such values."""
    ordered = torch.where(at, values, torch.inf).flatten(1).sort(dim=1).values
    place = share * (count(at) - 1).clamp(min=0)
    low = place.floor().long().unsqueeze(1)
    high = place.ceil().long().unsqueeze(1)
    first, second = (torch.nan_to_num(ordered.gather(1, index).squeeze(1), posinf=0.0) for index in (low, high))
    return torch.lerp(first, second, place - low.squeeze(1))


def _length(view: View) -> Tensor:
    """How many pixels both contours have, at least 1, (B,)."""
    return (count(view.contour) + count(view.true_contour)).clamp(min=1)


def _answered(view: View, values: Tensor, same: float, other: float) -> Tensor:
    """``values`` where both masks have a contour; without any ``same`` for equal masks; else ``other``."""
    has, true_has = count(view.contour) > 0, count(view.true_contour) > 0
    predicted, true, both = view.pixels_on
    equal = (predicted == both) & (true == both)
    neither = torch.where(equal, same, other)
    return torch.where(has & true_has, values, torch.where(has | true_has, other, neither))
