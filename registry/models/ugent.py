"""System 001's first two U-Nets: no normalisation, transposed convolutions, after ugent-korea."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from registry.models import models
from registry.models._blocks import Halve
from registry.models._trunks import DEPTH_CHANNELS, Trunk, TrunkNet


def _level(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_out, channels_out, 3, padding=1),
        nn.ReLU(inplace=True),
    ]


class _Up(nn.Module):
    """2x2 transposed convolution to ``width`` channels, ``[up, skip]``, two convolutions with ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rise = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.convs = nn.Sequential(*_level(2 * width, width))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.convs(torch.cat([self.rise(x), skip], dim=1))  # type: ignore[no-any-return]


def _net(width: int, twin: bool, depth_channels: int) -> TrunkNet:
    widths = [width * factor for factor in (1, 2, 4, 8)]
    first, *others = zip([3, *widths], widths, strict=False)
    down = [nn.Sequential(*_level(*first)), *(nn.Sequential(Halve(), *_level(i, o)) for i, o in others)]

    def trunk() -> Trunk:
        return Trunk(nn.Sequential(Halve(), *_level(8 * width, 16 * width)), [_Up(w) for w in reversed(widths)])

    return TrunkNet(down, trunk, width, twin, depth_channels)


@models.register(
    ranges={"depth_channels": DEPTH_CHANNELS},
    parameters={
        "ugent_unet[depth_channels=3]": 7_760_196,
        "ugent_unet[depth_channels=3,twin=true]": 14_348_004,
    },
    stride=16,
    heads=("mask", "depth"),
    source="system 001, rows 1 to 4",
)
def ugent_unet(twin: bool = False, depth_channels: int = 1) -> TrunkNet:
    """U-Net without normalisation over bg_fg alone, width 32; with three depth channels their logits are averaged."""
    return _net(32, twin, depth_channels)


@models.register(
    ranges={"depth_channels": DEPTH_CHANNELS},
    parameters={
        "ugent_unet_wide[depth_channels=3]": 31_031_940,
        "ugent_unet_wide[depth_channels=3,twin=true]": 57_378_244,
    },
    stride=16,
    heads=("mask", "depth"),
    source="system 001, row 5",
)
def ugent_unet_wide(twin: bool = False, depth_channels: int = 1) -> TrunkNet:
    """`ugent_unet` at width 64."""
    return _net(64, twin, depth_channels)
