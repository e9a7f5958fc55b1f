"""A metric of your own: a function that returns a value per image, with what is known about it above it.

bench check my_metric:precision_at_half
bench run --model unet --loss bce_ssim --metric my_metric:precision_at_half
"""

import torch
from torch import Tensor

from bench.metrics import metrics
from registry.contract import Head, Target


@metrics.register(head="mask", higher_is_better=True, bounds=(0.0, 1.0), column="precision")
def precision_at_half(prediction: Head, target: Target) -> Tensor:
    """Share of the pixels predicted on that truly are; 1 where both masks are empty, 0 where only the truth is."""
    on, true = prediction.value.flatten(1) > 0.5, target.value.flatten(1) > 0.5
    hits, predicted = (on & true).sum(1), on.sum(1)
    return torch.where(predicted > 0, hits / predicted.clamp(min=1), (~true.any(1)).float())
