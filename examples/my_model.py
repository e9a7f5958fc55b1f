"""A model of your own: any module that takes both images and returns a `Prediction`.

bench check my_model:small_net
bench run --model my_model:small_net --model unet --loss bce_ssim
"""

import torch
from torch import Tensor, nn

from registry.contract import Prediction


class SmallNet(nn.Module):
    """Three convolutions down, two up, a 1x1 convolution per head."""

    stride = 4

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(_block(6, width, 1), _block(width, 2 * width, 2), _block(2 * width, 4 * width, 2))
        self.decoder = nn.Sequential(_up(4 * width, 2 * width), _up(2 * width, width))
        self.mask, self.depth = nn.Conv2d(width, 1, 1), nn.Conv2d(width, 1, 1)

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to logits (B, 1, H, W) of mask and depth."""
        if any(side % self.stride for side in bg.shape[-2:]):
            raise ValueError(f"SmallNet takes sizes that are multiples of {self.stride}, not {tuple(bg.shape[-2:])}")
        features = self.decoder(self.encoder(torch.cat([bg, bg_fg], dim=1)))
        return Prediction(self.mask(features), self.depth(features))


def small_net(width: int = 16) -> nn.Module:
    """What ``--model "my_model:small_net[width=32]"`` builds."""
    return SmallNet(width)


def _block(channels: int, out: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU())


def _up(channels: int, out: int) -> nn.Module:
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), _block(channels, out, 1))
