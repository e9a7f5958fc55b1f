"""Metrics of both heads at once, each a value per image, (B,), float32."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.metrics.functional.depth import depth_delta1
from bench.metrics.functional.mask import mask_iou
from bench.metrics.view import View


def joint_success(view: View) -> Tensor:
    """1 where ``mask_iou > 0.5`` and ``depth_delta1 > 0.8``, else 0; NaN where no depth is known."""
    near = depth_delta1(view)
    both = (mask_iou(view) > 0.5) & (near > 0.8)
    return torch.where(near.isnan(), torch.nan, both.float())
