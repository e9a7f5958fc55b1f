"""System 002 (DepthMaskNet): dilated encoder, pixel-shuffle decoders without skips; and its repaired form."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from registry.contract import Model, Prediction
from registry.models import models

_WIDTHS = (32, 64, 128, 256, 512)


class _Dilated(nn.Module):
    """Plain branch ``[conv, BN, ReLU]``, dilated branch ``[conv, ReLU, BN]`` (that order), both into a 1x1."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.plain = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )
        self.dilated = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=2, dilation=2, bias=False),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(channels_out),
        )
        self.fuse = nn.Conv2d(2 * channels_out, channels_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.fuse(torch.cat([self.plain(x), self.dilated(x)], dim=1))  # type: ignore[no-any-return]


class _Rise(nn.Module):
    """1x1 convolution and pixel shuffle: (B, c, H, W) to (B, c/2, 2H, 2W); looks at no skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(channels, 2 * channels, 1, bias=False)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.shuffle(self.widen(x))  # type: ignore[no-any-return]


class _RepairedRise(nn.Module):
    """`_Rise` started by ICNR, then ``[skip, up]`` through 3x3 convolution, BN and ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rise = _Rise(channels)
        icnr(self.rise.widen.weight, 2)
        self.convs = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels // 2),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.convs(torch.cat([skip, self.rise(x, skip)], dim=1))  # type: ignore[no-any-return]


def icnr(weight: Tensor, factor: int) -> None:
    """Make the ``factor**2`` sub-pixel filters of each output channel start equal, in place.

    Pixel shuffle then starts as nearest-neighbour upsampling, without a checkerboard (Aitken et al., 2017).

    Args:
        weight: of the convolution before the shuffle, (C * factor**2, I, kH, kW).
        factor: of the pixel shuffle.
    """
    with torch.no_grad():
        weight.copy_(weight[:: factor**2].repeat_interleave(factor**2, dim=0))


class DilatedShuffle(Model):
    """A stem per image, four dilated levels, and a pixel-shuffle decoder for each head; no biases anywhere.

    Published, each decoder is a linear map from a bottleneck cell to its own 16x16 patch: 16-pixel block
    artefacts. The repaired form adds skips and a convolution with BN and ReLU after each shuffle.
    """

    stride = 16

    def __init__(self, fixed: bool) -> None:
        super().__init__()
        width = _WIDTHS[0]

        def stem() -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
            )

        def decoder() -> nn.ModuleList:
            rise = _RepairedRise if fixed else _Rise
            return nn.ModuleList(rise(channels) for channels in _WIDTHS[:0:-1])

        self.bg_stem, self.bg_fg_stem = stem(), stem()
        self.fuse = nn.Conv2d(2 * width, width, 1, bias=False)
        self.down = nn.ModuleList(nn.Sequential(_Dilated(i, o), nn.MaxPool2d(2)) for i, o in pairwise(_WIDTHS))
        self.mask_up, self.depth_up = decoder(), decoder()
        self.mask_head = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        self.depth_head = nn.Conv2d(width, 1, 3, padding=1, bias=False)

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to mask and depth logits (B, 1, H, W)."""
        features = [self.fuse(torch.cat([self.bg_stem(bg), self.bg_fg_stem(bg_fg)], dim=1))]
        for down in self.down:
            features.append(down(features[-1]))

        def decode(ups: nn.ModuleList) -> Tensor:
            """One decoder's features at the size of the input."""
            x: Tensor = features[-1]
            for up, skip in zip(ups, features[-2::-1], strict=True):
                x = up(x, skip)
            return x

        return Prediction(self.mask_head(decode(self.mask_up)), self.depth_head(decode(self.depth_up)))

    def blocks(self) -> dict[str, list[nn.Module]]:
        """Stems, fusion, four levels, each task's decoder and head."""
        return {
            "stems": [self.bg_stem, self.bg_fg_stem],
            "fuse": [self.fuse],
            **{f"down{i}": [level] for i, level in enumerate(self.down, 1)},
            "mask_decoder": [*self.mask_up],
            "mask_head": [self.mask_head],
            "depth_decoder": [*self.depth_up],
            "depth_head": [self.depth_head],
        }


@models.register(parameters={"dilated_shuffle": 5_230_720}, stride=16, heads=("mask", "depth"), source="system 002")
def dilated_shuffle(fixed: bool = False) -> DilatedShuffle:
    """Dilated encoder, pixel-shuffle decoders; ``fixed``: skips, 3x3 + BN + ReLU after each shuffle, ICNR."""
    return DilatedShuffle(fixed)
