"""How much arithmetic a model does: parameters and multiply-adds, counted without running it."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from registry.contract import Model


def parameter_count(model: nn.Module) -> int:
    """Trainable and frozen parameters, shared ones once."""
    return sum(p.numel() for p in model.parameters())


def gmacs(model: nn.Module, size: int) -> float | None:
    """Multiply-adds of one forward pass of one image pair of that size, in thousand millions.

    Counted on the meta device (nothing is computed); 1 multiply-add = 2 FLOPs of torch's counter. None for a
    model that cannot run there, as it looks at values.
    """
    # A copy, as moving to meta throws the weights away; training mode of batch norm refuses 1x1 maps of one image.
    twin = copy.deepcopy(model).to("meta").eval()
    images = torch.empty(1, 3, size, size, device="meta")
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            twin(images, images)
    except (RuntimeError, NotImplementedError):
        return None
    flops: int = counter.get_total_flops()
    return flops / 2e9


def blocks_of(model: nn.Module) -> dict[str, list[nn.Module]]:
    """A model's blocks; of a user's module that names none, its direct children."""
    if isinstance(model, Model):
        return model.blocks()
    return {name: [child] for name, child in model.named_children()}
