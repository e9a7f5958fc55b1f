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
    """Multiply-adds of one forward pass of one image pair of that size, in thousand millions; None as in `count_gmacs`.

    Counted on the meta device (nothing is computed); 1 multiply-add = 2 FLOPs of torch's counter.
    """
    return count_gmacs(model, size)[0]


def count_gmacs(model: nn.Module, size: int) -> tuple[float | None, str | None]:
    """As `gmacs`, with the reason where there is no figure: the model cannot be copied, or looks at values."""
    images = torch.empty(1, 3, size, size, device="meta")
    try:
        # A copy, as moving to meta throws the weights away; training mode of batch norm refuses 1x1 maps of one image.
        twin = copy.deepcopy(model).to("meta").eval()
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            twin(images, images)
    except Exception as error:  # whatever somebody's model raises on a device that has no values
        reason = (str(error).splitlines() or ["no reason given"])[0]
        return None, f"not counted: {type(error).__name__}: {reason}"
    flops: int = counter.get_total_flops()
    return flops / 2e9, None


def blocks_of(model: nn.Module) -> dict[str, list[nn.Module]]:
    """A model's blocks; of a user's module that names none, its direct children."""
    if isinstance(model, Model):
        return model.blocks()
    return {name: [child] for name, child in model.named_children()}
