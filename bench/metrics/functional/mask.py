"""Metrics of the mask, each a value per image, (B,), float32. The function's name is the metric's key."""

from __future__ import annotations

from math import hypot

import torch
from torch import Tensor

from bench.metrics.boundary import dilate
from bench.metrics.view import View, count, total

BOUNDARY_TOLERANCE = 0.0075
"""How far apart two boundaries may lie and still agree, as a fraction of the picture's diagonal."""


def mask_iou(view: View) -> Tensor:
    """``|P & T| / |P | T|`` of prediction and truth, both thresholded at 0.5, in [0, 1]; 1 where both are empty."""
    predicted, true, both = view.pixels_on
    return _share(both, predicted + true - both)


def mask_dice(view: View) -> Tensor:
    """``2 |P & T| / (|P| + |T|)``, both thresholded at 0.5, in [0, 1]; 1 where both are empty.

    Source: Dice 1945; thresholded and per image where systems 000 and 002 pool soft values over the batch.
    """
    predicted, true, both = view.pixels_on
    return _share(2 * both, predicted + true)


def mask_dice_soft(view: View) -> Tensor:
    """``(2 sum(p t) + 1) / (sum(p^2) + sum(t^2) + 1)`` of the values p and the soft truth t, in [0, 1].

    The denominator is squared so that the truth itself, soft edges included, scores 1; with ``sum(p) + sum(t)``
    an overconfident prediction would beat it. The 1 (a pixel) makes two empty masks agree.
    Source: Milletari, Navab and Ahmadi 2016 (V-Net).
    """
    product, squares = view.mask * view.true_mask, view.mask.square() + view.true_mask.square()
    return (2 * total(product) + 1) / (total(squares) + 1)


def mask_mae(view: View) -> Tensor:
    """Mean over all pixels of ``|p - t|``, value against soft truth, in [0, 1]."""
    return total((view.mask - view.true_mask).abs()) / view.mask_pixels


def mask_area_error(view: View) -> Tensor:
    """``| |P| - |T| |``, both thresholded at 0.5, as a share of the picture, in [0, 1]: is the area right, anywhere?"""
    predicted, true, _ = view.pixels_on
    return (predicted - true).abs() / view.mask_pixels


def mask_false_alarm(view: View) -> Tensor:
    """1 where any pixel is found in an image whose true mask is empty, else 0; NaN for images with an object."""
    predicted, true, _ = view.pixels_on
    return torch.where(true > 0, torch.nan, (predicted > 0).float())


def mask_bf(view: View) -> Tensor:
    """F-score of the boundary: ``2 P R / (P + R)``, in [0, 1].

    P is the share of the predicted mask's contour that lies near the true contour, R the reverse; near is a Euclidean
    distance of at most 0.75 % of the picture's diagonal, at least 1 px. A mask has a contour where it touches,
    by an edge, a pixel outside it; the picture's rim is none. Where neither mask has a contour (empty, or full)
    the value is 1 if they are the same, else 0.
    Source: Csurka, Larlus and Perronnin 2013; same tolerance.
    """
    tolerance = max(1.0, BOUNDARY_TOLERANCE * hypot(*view.on.shape[-2:]))
    near, true_near = dilate(view.contour, tolerance), dilate(view.true_contour, tolerance)
    length, true_length = count(view.contour), count(view.true_contour)
    precision = count(view.contour & true_near) / length.clamp(min=1)
    recall = count(view.true_contour & near) / true_length.clamp(min=1)
    score = _share(2 * precision * recall, precision + recall, nothing=0.0)
    return torch.where(length + true_length > 0, score, (mask_iou(view) == 1).float())


def _share(part: Tensor, whole: Tensor, nothing: float = 1.0) -> Tensor:
    """``part / whole``, and ``nothing`` where the whole is 0."""
    return torch.where(whole > 0, part / whole, nothing)
