"""Metrics that break one rule each, as people write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bench.metrics.metric import Metric, make_facts
from bench.metrics.view import View


def rmse(view: View) -> Tensor:
    """Sound; the others below are made of it."""
    return view.mean(view.squared_error).sqrt()


def pooled(view: View) -> Tensor:
    return rmse(view).mean()


def percent(view: View) -> Tensor:
    return 100 * rmse(view)


def shifted(view: View) -> Tensor:
    return rmse(view) + 0.1


def inverted(view: View) -> Tensor:
    return 1 / (1 + rmse(view))


def blind_metric(view: View) -> Tensor:
    return 0 * rmse(view)


def of_the_whole_batch(view: View) -> Tensor:
    values = rmse(view)
    return values - values.min()


def per_object(view: View) -> Tensor:
    return view.mean(view.squared_error).sqrt() / view.pixels_on[1]


def zero_if_unknown(view: View) -> Tensor:
    return rmse(view).nan_to_num(0.0)


def all_pixels(view: View) -> Tensor:
    prediction, target = view.judged("depth")
    error = (prediction.value - target.value).square().flatten(1).mean(1).sqrt()
    return torch.where(view.valid_pixels > 0, error, torch.nan)


def clamps(view: View) -> Tensor:
    _, target = view.judged("mask")
    target.value.mul_(0.999)
    return rmse(view)


def halves(view: View) -> Tensor:
    error = view.squared_error
    return error.unflatten(-1, (2, -1)).mean((1, 2, 3, 4)).sqrt()


METRICS = [
    (pooled, "per_image", "a value per image"),
    (percent, "per_image", "leave its bounds"),
    (shifted, "perfect_is_perfect", "on the truth, not 0"),
    (inverted, "direction", "lower is declared better"),
    (blind_metric, "direction", "does not see them"),
    (of_the_whole_batch, "independent", "image by image"),
    (per_object, "uniform_masks", "inf"),
    (zero_if_unknown, "nothing_known", "nowhere known, not NaN"),
    (all_pixels, "unknown_pixels", "what lies under valid = 0"),
    (clamps, "inputs", "alters mask in place"),
    (halves, "odd_sizes", "multiply up"),
]


def metric(function: Callable[[View], Tensor], **facts: Any) -> Metric:
    known = {"head": "depth", "higher_is_better": False, "bounds": (0.0, 1.0), "needs": ("depth", "mask"), **facts}
    return Metric(function.__name__, make_facts(function.__name__, known), function)
