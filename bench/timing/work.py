"""How much arithmetic a model does: parameters and multiply-adds, counted without running it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from registry.contract import Model


def parameter_count(model: nn.Module) -> int:
    """Trainable and frozen parameters; a shared parameter counts once."""
    return sum(p.numel() for p in model.parameters())


def meta_copy(model: nn.Module) -> nn.Module:
    """A copy of a model on the meta device, in evaluation mode; the model itself stays as it is.

    It may keep tensors that have a graph: features of its last batch, or weights that weight norm works out.
    """
    with _CopyWithoutGraph():
        return copy.deepcopy(model).to("meta").eval()


def gmacs(model: nn.Module, size: int) -> float | None:
    """Multiply-adds of a forward pass of a single image pair of that size, in thousand millions.

    Counted on the meta device (nothing is computed); 1 multiply-add = 2 FLOPs of torch's counter. None for a
    model that cannot run on meta tensors, as it reads values.
    """
    return count_gmacs(model, size)[0]


def count_gmacs(model: nn.Module, size: int) -> tuple[float | None, str | None]:
    """As `gmacs`, with the reason if the count is missing."""
    images = torch.empty(1, 3, size, size, device="meta")
    try:
        twin = meta_copy(model)  # in evaluation mode: batch norm in training refuses 1x1 maps of a single image
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            twin(images, images)
    except Exception as error:  # whatever a user's model raises on a device without values
        reason = (str(error).splitlines() or ["no reason given"])[0]
        return None, f"not counted: {type(error).__name__}: {reason}"
    flops: int = counter.get_total_flops()
    return flops / 2e9, None


class _CopyWithoutGraph(TorchFunctionMode):
    """Copies tensors that have a graph by value; `copy.deepcopy` refuses them."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is Tensor.__deepcopy__ and not args[0].is_leaf:
            tensor, memo = args
            return memo.setdefault(id(tensor), tensor.detach().clone())
        return func(*args, **(kwargs or {}))


def blocks_of(model: nn.Module) -> dict[str, list[nn.Module]]:
    """A model's blocks; of a user's module that names none, its direct children."""
    if isinstance(model, Model):
        return model.blocks()
    return {name: [child] for name, child in model.named_children()}
