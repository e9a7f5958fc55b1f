"""All metrics with their facts, as a table. Reading it imports no torch.

A metric is its function in a module beside this and its line here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from bench.metrics.metric import Metrics
from registry.ranges import at_least

metrics = Metrics(
    "metric", where="bench list metrics", group="maskdepth_bench.metrics", index="bench.metrics.table:metrics"
)
metrics.family("torchmetrics/", "bench.metrics.torchmetrics_family:entry")

_MORE = "Depth by region, artefacts, and both tasks"

_share: dict[str, Any] = {"higher_is_better": True, "bounds": (0.0, 1.0)}
_error: dict[str, Any] = {"higher_is_better": False, "bounds": (0.0, 1.0)}
_unbounded: dict[str, Any] = {"higher_is_better": False, "bounds": (0.0, None)}
_mask = partial(metrics.declare, "bench.metrics.functional.mask", head="mask")
_depth = partial(metrics.declare, "bench.metrics.functional.depth", head="depth")
_region = partial(_depth, **_error, unit="range", needs=("depth", "true_mask"), table=_MORE)

_mask(
    "mask_dice",
    **_share,
    order=10,
    column="Dice",
    headline=True,
    compared=True,
    ranks=True,
    summary="Dice, both thresholded at 0.5",
)
_mask(
    "mask_iou",
    **_share,
    order=11,
    column="IoU",
    headline=True,
    compared=True,
    summary="intersection over union, both thresholded at 0.5",
)
_mask("mask_mae", **_error, order=12, column="MAE", summary="mean absolute error of the value")
_mask(
    "mask_bf",
    **_share,
    order=13,
    column="boundary F",
    compared=True,
    summary="F-score of the boundary within 0.75 % of the diagonal, at least 1 px",
)
_mask(
    "mask_dice_soft",
    **_share,
    order=14,
    column="soft Dice",
    table=None,
    summary="Dice of the values themselves, squared denominator, smooth 1",
)
_mask(
    "mask_area_error",
    **_error,
    order=15,
    column="area error",
    summary="difference of the areas, as a share of the picture",
)
_mask(
    "mask_false_alarm",
    **_error,
    order=16,
    column="false alarm",
    summary="share of the images without an object in which something is found",
)
_distance = partial(metrics.declare, "bench.metrics.functional.distance", head="mask", compared=True, on_request=True)
_distance(
    "mask_hd95", **_unbounded, order=17, column="HD95", unit="px", summary="95th percentile of the contours' distances"
)
_distance("mask_assd", **_unbounded, order=18, column="ASSD", unit="px", summary="mean distance of the contours")
_distance(
    "mask_nsd",
    **_share,
    order=19,
    column="NSD",
    ranges={"tolerance": at_least(0)},
    summary="share of the contours within a tolerance, 1 px unless [tolerance=...]",
)
_depth(
    "depth_rmse",
    **_error,
    order=20,
    column="RMSE",
    unit="range",
    headline=True,
    compared=True,
    summary="root mean square error, per image",
)
_depth(
    "depth_rmse_pooled",
    **_error,
    order=21,
    column="pooled RMSE",
    unit="range",
    table=None,
    weight="valid_pixels",
    power=2,
    summary="root of the mean square error over all valid pixels of all images",
)
_depth("depth_mae", **_error, order=22, column="MAE", unit="range", summary="mean absolute error")
_depth(
    "depth_abs_rel",
    **_unbounded,
    order=23,
    column="abs rel",
    compared=True,
    summary="mean of |error| / depth",
)
_depth(
    "depth_delta1",
    **_share,
    order=24,
    column="δ1",
    headline=True,
    compared=True,
    ranks=True,
    summary="share of pixels within a factor of 1.25",
)
_depth("depth_delta2", **_share, order=25, column="δ2", summary="share of pixels within a factor of 1.25^2")
_depth("depth_delta3", **_share, order=26, column="δ3", summary="share of pixels within a factor of 1.25^3")
_depth(
    "depth_silog",
    **_unbounded,
    order=27,
    column="SILog",
    unit="%",
    summary="scale-invariant log error, 100 * std(log ratio)",
)
_depth(
    "depth_ssim",
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    order=28,
    column="SSIM",
    compared=True,
    summary="structural similarity, 11-px windows without unknown pixels",
)
_aligned = partial(
    metrics.declare, "bench.metrics.functional.aligned", head="depth", table="Depth up to scale and shift"
)
_aligned(
    "depth_abs_rel_aligned",
    **_unbounded,
    order=29,
    column="aligned abs rel",
    summary="abs rel after the best scale and shift of the image; [by=median]: after the medians' ratio",
)
_aligned(
    "depth_delta1_aligned",
    **_share,
    order=29,
    column="aligned δ1",
    summary="delta1 after the best scale and shift of the image; [by=median]: after the medians' ratio",
)
_region("depth_rmse_fg", order=30, column="RMSE fg", summary="RMSE inside the true mask")
_region("depth_rmse_bg", order=31, column="RMSE bg", summary="RMSE outside the true mask")
_region("depth_rmse_band", order=32, column="RMSE band", summary="RMSE in a 3-px band along the true mask's edge")
metrics.declare(
    "bench.metrics.functional.checkerboard",
    "depth_checkerboard",
    head="depth",
    **_unbounded,
    order=33,
    column="checkerboard",
    table=_MORE,
    summary="gradient locked to an upsampling lattice of 2, 4, 8 or 16 px, in excess of the truth's",
)
metrics.declare(
    "bench.metrics.functional.joint",
    "joint_success",
    head="joint",
    **_share,
    order=34,
    column="success",
    table=_MORE,
    summary="share of images with mask_iou > 0.5 and depth_delta1 > 0.8",
)
