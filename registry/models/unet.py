"""The plain baseline: an encoder, a decoder and two 1x1 heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from registry.contract import Model, Prediction
from registry.models import models
from registry.models._blocks import double_conv, upsample
from registry.ranges import between


class UNet(Model):
    """U-Net over the six channels of both images: four poolings, bilinear upsampling, concatenated skips."""

    stride = 16

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width, 8 * width]
        self.down = nn.ModuleList(double_conv(i, o, bias=False) for i, o in zip([6, *widths], widths, strict=False))
        skips, outs = widths[-2::-1], [4 * width, 2 * width, width, width]
        below = [8 * width, *outs]
        self.up = nn.ModuleList(double_conv(b + s, o, bias=False) for b, s, o in zip(below, skips, outs, strict=False))
        self.mask_head = nn.Conv2d(width, 1, 1)
        self.depth_head = nn.Conv2d(width, 1, 1)

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to mask and depth logits (B, 1, H, W)."""
        x = torch.cat([bg, bg_fg], dim=1)
        skips: list[Tensor] = []
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else functional.max_pool2d(x, 2))
            skips.append(x)
        for up, skip in zip(self.up, skips[-2::-1], strict=True):
            x = up(torch.cat([skip, upsample(x, skip.dtype)], dim=1))
        return Prediction(self.mask_head(x), self.depth_head(x))

    def blocks(self) -> dict[str, list[nn.Module]]:
        """Encoder levels, decoder levels, heads."""
        downs = {f"down{level}": [block] for level, block in enumerate(self.down)}
        ups = {f"up{level}": [block] for level, block in enumerate(self.up)}
        return {**downs, **ups, "heads": [self.mask_head, self.depth_head]}


@models.register(ranges={"width": between(1, 512)}, stride=16, heads=("mask", "depth"), source="this project's own")
def unet(width: int = 32) -> UNet:
    """Plain U-Net, its encoder and decoder shared by both tasks."""
    return UNet(width)
