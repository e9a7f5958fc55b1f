"""Pretrained encoder weights of smp and timm: their names, and how their training images were prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from torch import Tensor, nn

_DEFAULT = "default"


def weight_names(encoder: str) -> list[str]:
    """Names of an encoder's pretrained weights; of a timm encoder (``tu-``) timm's tags, such as ``a1_in1k``."""
    if not encoder.startswith("tu-"):
        return list(smp.encoders.encoders[encoder]["pretrained_settings"])
    return [name.partition(".")[2] or _DEFAULT for name in timm.list_pretrained(encoder.removeprefix("tu-"))]


def smp_names(encoder: str, weights: str) -> tuple[str, str | bool]:
    """The encoder and the weights as `smp.create_model` takes them: a timm tag belongs to the encoder's name."""
    if not encoder.startswith("tu-"):
        return encoder, weights
    return (encoder if weights == _DEFAULT else f"{encoder}.{weights}"), True


def preprocessing(encoder: str, weights: str) -> Mapping[str, Any]:
    """How the images were prepared that the weights were trained on: mean, std, input_range and input_space.

    Read from the weights' own configuration, which smp downloads with them; timm brings it along.
    """
    name, _ = smp_names(encoder, weights)
    found: Mapping[str, Any] = smp.encoders.get_preprocessing_params(name, pretrained=weights)
    return found


class Normalise(nn.Module):
    """Both photographs (B, 6, H, W) in [0, 1] to the range, the order of channels, mean and spread of a training set.

    Its numbers follow from the name of the weights, so that they are in no state dict.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: list[float], std: list[float], input_range: list[float], input_space: str = "RGB") -> None:
        super().__init__()
        low, high = input_range
        spread, middle = torch.tensor([*std, *std]), torch.tensor([*mean, *mean])
        self.register_buffer("scale", ((high - low) / spread).view(1, 6, 1, 1), persistent=False)
        self.register_buffer("shift", ((low - middle) / spread).view(1, 6, 1, 1), persistent=False)
        self._order = [2, 1, 0, 5, 4, 3] if input_space == "BGR" else None

    def forward(self, images: Tensor) -> Tensor:
        """``(low + (high - low) * image - mean) / std``, channel by channel."""
        ordered = images if self._order is None else images[:, self._order]
        return ordered * self.scale + self.shift
