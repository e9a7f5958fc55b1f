"""Putting a model on a device in a memory format, in which it then gets its images too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bench.core.spec import MemoryFormat


def place(model: nn.Module, memory_format: MemoryFormat, device: torch.device) -> nn.Module:
    """The model on ``device``, its weights and from now on its images in ``memory_format``.

    Loaders hand out images that lie channels last, and a convolution follows its images: contiguous weights alone
    would change nothing but cost a conversion of the weights every step.
    """
    if memory_format == "channels_last":
        return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    model.register_forward_pre_hook(_contiguous)
    return model.to(device, memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]


def _contiguous(_: nn.Module, images: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(image.contiguous() if isinstance(image, Tensor) else image for image in images)
