"""A loss term of your own: a function of prediction and target that returns a scalar.

bench check my_term:charbonnier --head depth
bench run --model unet --loss "mask: bce, depth: my_term:charbonnier[eps=0.02] + ssim"
"""

import torch
from torch import Tensor

from registry.contract import Head, Target


def charbonnier(prediction: Head, target: Target, eps: float = 0.01) -> Tensor:
    """``sqrt(error^2 + eps^2) - eps`` over the pixels that are known, per image, then the mean; 0 at the truth."""
    known = target.known > 0.5
    # Chosen before any arithmetic: 0 * NaN is NaN, and a sensor may store anything where it saw nothing.
    error = torch.where(known, prediction.value - torch.where(known, target.value, 0.0), 0.0)
    distance = (error.square() + eps**2).sqrt() - eps
    pixels = known.flatten(1).sum(1)
    per_image = distance.flatten(1).sum(1) / pixels.clamp(min=1)
    images = (pixels > 0).sum().clamp(min=1)
    return per_image.sum() / images
