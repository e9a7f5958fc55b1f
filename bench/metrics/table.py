"""All metrics, as one table. Reading it imports no torch."""

from __future__ import annotations

from functools import partial
from math import inf

from bench.metrics.metric import Metric
from registry.errors import UnknownName

_mask_share = partial(
    Metric, module="mask", head="mask", needs=("mask",), higher_is_better=True, perfect=1.0, bounds=(0.0, 1.0), unit=""
)
_depth_share = partial(
    Metric,
    module="depth",
    head="depth",
    needs=("depth",),
    higher_is_better=True,
    perfect=1.0,
    bounds=(0.0, 1.0),
    unit="",
)
_depth_error = partial(
    Metric, module="depth", head="depth", needs=("depth",), higher_is_better=False, perfect=0.0, bounds=(0.0, 1.0)
)
_region_error = partial(_depth_error, needs=("depth", "true_mask"), unit="range")

_TABLE = (
    _mask_share("mask_iou", summary="intersection over union, both thresholded at 0.5"),
    _mask_share("mask_dice", summary="Dice, both thresholded at 0.5"),
    _mask_share("mask_dice_soft", summary="Dice of the values themselves, squared denominator, smooth 1"),
    _mask_share("mask_mae", higher_is_better=False, perfect=0.0, summary="mean absolute error of the value"),
    _mask_share("mask_bf", summary="F-score of the boundary within 0.75 % of the diagonal, at least 1 px"),
    _depth_error("depth_rmse", unit="range", summary="root mean square error, per image"),
    _depth_error(
        "depth_rmse_pooled",
        unit="range",
        summary="root of the mean square error over all valid pixels of all images",
        weight="valid_pixels",
        power=2,
    ),
    _depth_error("depth_mae", unit="range", summary="mean absolute error"),
    _depth_error("depth_abs_rel", bounds=(0.0, inf), unit="", summary="mean of |error| / depth"),
    _depth_share("depth_delta1", summary="share of pixels within a factor of 1.25"),
    _depth_share("depth_delta2", summary="share of pixels within a factor of 1.25^2"),
    _depth_share("depth_delta3", summary="share of pixels within a factor of 1.25^3"),
    _depth_error("depth_silog", bounds=(0.0, inf), unit="%", summary="scale-invariant log error, 100 * std(log ratio)"),
    _depth_share(
        "depth_ssim", bounds=(-1.0, 1.0), summary="structural similarity, 11-px windows that are wholly valid"
    ),
    _region_error("depth_rmse_fg", summary="RMSE inside the true mask"),
    _region_error("depth_rmse_bg", summary="RMSE outside the true mask"),
    _region_error("depth_rmse_band", summary="RMSE in a 3-px band along the true mask's edge"),
    _depth_error(
        "depth_checkerboard",
        module="checkerboard",
        bounds=(0.0, inf),
        unit="",
        summary="gradient locked to an upsampling lattice of 2, 4, 8 or 16 px, in excess of the truth's",
    ),
    _mask_share(
        "joint_success",
        module="joint",
        head="joint",
        needs=("mask", "depth"),
        summary="share of images with mask_iou > 0.5 and depth_delta1 > 0.8",
    ),
)

metrics: dict[str, Metric] = {row.name: row for row in _TABLE}


def metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        UnknownName: there is none; the nearest names are in the message.
    """
    if name not in metrics:
        raise UnknownName("metric", name, metrics, where="bench list metrics")
    return metrics[name]
