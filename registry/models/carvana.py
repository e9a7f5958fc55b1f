"""System 001's later U-Nets: batch norm, resizing to the skip, three convolutions per decoder level, after EKami."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from registry.models import models
from registry.models._blocks import Halve, conv_unit, upsample
from registry.models._trunks import DEPTH_CHANNELS, Trunk, TrunkNet


class _Up(nn.Module):
    """Bilinear resizing to the skip's size, ``[up, skip]``, three convolution units; below, skip, out: channels."""

    def __init__(self, below: int, skip: int, channels_out: int, eps: float) -> None:
        super().__init__()
        widths = [below + skip, channels_out, channels_out, channels_out]
        self.convs = nn.Sequential(*(conv_unit(i, o, bias=False, eps=eps) for i, o in pairwise(widths)))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = upsample(x, skip.dtype, size=skip.shape[-2:])
        return self.convs(torch.cat([x, skip], dim=1))  # type: ignore[no-any-return]


def _net(encoder: Sequence[int], decoder: Sequence[int], eps: float, twin: bool, depth_channels: int) -> TrunkNet:
    def level(channels_in: int, channels_out: int, *before: nn.Module) -> nn.Sequential:
        first = conv_unit(channels_in, channels_out, bias=False, eps=eps)
        return nn.Sequential(*before, first, conv_unit(channels_out, channels_out, bias=False, eps=eps))

    deepest = encoder[-1]
    below = [deepest, *decoder]

    def trunk() -> Trunk:
        ups = (_Up(b, s, o, eps) for b, s, o in zip(below, reversed(encoder), decoder, strict=False))
        return Trunk(nn.Sequential(Halve(), conv_unit(deepest, deepest, bias=False, eps=eps)), ups)

    return TrunkNet(
        [level(3, encoder[0]), *(level(i, o, Halve()) for i, o in pairwise(encoder))],
        trunk,
        decoder[-1],
        twin,
        depth_channels,
    )


@models.register(
    ranges={"depth_channels": DEPTH_CHANNELS},
    parameters={
        "carvana_unet[depth_channels=3]": 35_371_948,
        "carvana_unet[depth_channels=3,twin=true]": 57_188_044,
    },
    stride=16,
    heads=("mask", "depth"),
    source="system 001, rows 6 to 8",
)
def carvana_unet(twin: bool = False, depth_channels: int = 1) -> TrunkNet:
    """Six-level U-Net with batch norm over bg_fg alone; with three depth channels their logits are averaged."""
    return _net((24, 64, 128, 256, 512, 768), (512, 256, 128, 64, 24, 24), 1e-4, twin, depth_channels)


@models.register(
    ranges={"depth_channels": DEPTH_CHANNELS},
    parameters={
        "custom_unet[depth_channels=3]": 2_963_300,
        "custom_unet[depth_channels=3,twin=true]": 4_753_252,
    },
    stride=16,
    heads=("mask", "depth"),
    source="system 001, the author's last",
)
def custom_unet(twin: bool = False, depth_channels: int = 1) -> TrunkNet:
    """`carvana_unet` with four levels of 32 to 256 channels."""
    return _net((32, 64, 128, 256), (128, 64, 32, 32), 1e-5, twin, depth_channels)
