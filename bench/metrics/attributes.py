"""What an image is like, whatever a model makes of it: recorded beside its scores, to ask where a model fails."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from bench.core.record.image_columns import CAMERA as CAMERA
from bench.core.record.image_columns import PREFIX as PREFIX
from bench.metrics.view import View, count, total
from registry.contract import Prediction, Quartet

NAMES = ("mask_area", "object_depth", "object_contrast", "depth_known")


def attributes(quartet: Quartet) -> Tensor:
    """What a batch's images are like, (`NAMES`, B), float32; NaN where an image or the data has nothing of it.

    - ``mask_area``: share of the pixels of known mask that belong to the object;
    - ``object_depth``: mean depth of the object's pixels of known depth, a fraction of the encoding's range;
    - ``object_contrast``: mean absolute difference of bg_fg from bg over the object, in [0, 1];
    - ``depth_known``: share of the pixels of known depth.
    """
    view = View(Prediction(), quartet)
    nothing = torch.full((len(view),), torch.nan, device=view.device)
    area = object_depth = contrast = depth_known = nothing
    if quartet.mask is not None:
        area = count(view.true_on) / view.mask_pixels
    if quartet.mask is not None and quartet.bg is not None:
        difference = (quartet.bg_fg - quartet.bg).abs().mean(1, keepdim=True).float()
        contrast = total(torch.where(view.true_on, difference, 0.0)) / count(view.true_on)
    if quartet.depth is not None:
        depth_known = view.valid_pixels / quartet.depth[0].numel()
    if quartet.mask is not None and quartet.depth is not None:
        both = view.true_on & view.valid
        object_depth = total(torch.where(both, view.true_depth, 0.0)) / count(both)
    return torch.stack([area, object_depth, contrast, depth_known])


def camera_columns(draws: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """What the camera drew for each image as columns: ``camera/noise``, and ``camera/shift_0`` where it drew several.

    Args:
        draws: by name, (B,) or (B, numbers), see `bench.data.source.Source.camera_draws`.
    """
    columns = {}
    for name, drawn in draws.items():
        parts = (
            {f"{name}_{part}": drawn[:, part] for part in range(drawn.shape[1])} if drawn.dim() > 1 else {name: drawn}
        )
        columns.update({f"{CAMERA}{part}": values.tolist() for part, values in parts.items()})
    return columns
