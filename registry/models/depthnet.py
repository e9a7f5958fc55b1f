"""System 004 (DepthNet): the full-resolution MaskNet3 and the two-decoder DepthMaskNet8."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from registry.contract import Model, Prediction
from registry.models import models
from registry.models._blocks import conv_unit, upsample


class MaskNet(Model):
    """Five 3x3 convolutions at full resolution: a receptive field of 7x7 pixels and no depth head."""

    def __init__(self) -> None:
        super().__init__()
        self.bg_stem, self.bg_fg_stem = conv_unit(3, 32), conv_unit(3, 32)
        self.first, self.second = conv_unit(64, 64), conv_unit(64, 64)
        self.mask_head = nn.Conv2d(64, 1, 1)

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to mask logits (B, 1, H, W)."""
        x = torch.cat([self.bg_stem(bg), self.bg_fg_stem(bg_fg)], dim=1)
        return Prediction(mask_logits=self.mask_head(self.second(self.first(x))))

    def blocks(self) -> dict[str, list[nn.Module]]:
        """Stems, two convolutions, head."""
        return {
            "stems": [self.bg_stem, self.bg_fg_stem],
            "first": [self.first],
            "second": [self.second],
            "head": [self.mask_head],
        }


class _Encoder(nn.Module):
    """Halve: pooling and two units, plus a strided 1x1 shortcut with BN; (B, i, H, W) to (B, o, H/2, W/2)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.MaxPool2d(2), conv_unit(channels_in, channels_out), conv_unit(channels_out, channels_out)
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 1, stride=2, bias=False), nn.BatchNorm2d(channels_out)
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.main(x) + self.shortcut(x))


class _Decoder(nn.Module):
    """1x1 convolution, bilinear doubling, the skip added, two units; (B, i, h, w) to (B, o, 2h, 2w)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(channels_in, channels_out, 1)
        self.convs = nn.Sequential(conv_unit(channels_out, channels_out), conv_unit(channels_out, channels_out))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.convs(upsample(self.narrow(x), skip.dtype) + skip)  # type: ignore[no-any-return]


class DepthMaskNet(Model):
    """Two stems, five encoder levels, a mask decoder, and a depth decoder that is fed what the mask decoder says.

    The system's text and figure add every mask decoder output to the depth decoder's output of that size; its
    code adds ``x3`` where the third mask output was meant and nothing at full resolution. Sums are out of place:
    in place, as in the original, they break the gradient of the ReLU before them.

    Args:
        as_published: what the code does rather than what the text says; the same parameters.
    """

    stride = 32

    def __init__(self, as_published: bool) -> None:
        super().__init__()
        self.as_published = as_published
        self.bg_stem = nn.Sequential(conv_unit(3, 16), conv_unit(16, 16))
        self.bg_fg_stem = nn.Sequential(conv_unit(3, 16), conv_unit(16, 16))
        self.bg_down, self.bg_fg_down = _Encoder(16, 16), _Encoder(16, 16)
        self.down = nn.ModuleList([_Encoder(32, 64), _Encoder(64, 128), _Encoder(128, 256)])
        self.mask_up = nn.ModuleList(_Decoder(i, i // 2) for i in (256, 128, 64, 32))
        self.mask_head = nn.Conv2d(16, 1, 1)
        self.depth_down = _Encoder(256, 512)
        self.depth_up = nn.ModuleList(_Decoder(i, i // 2) for i in (512, 256, 128, 64, 32))
        self.depth_head = nn.Conv2d(16, 1, 1)

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to mask and depth logits (B, 1, H, W)."""
        a, b = self.bg_stem(bg), self.bg_fg_stem(bg_fg)
        x3 = torch.cat([self.bg_down(a), self.bg_fg_down(b)], dim=1)
        features = [b, x3]
        for down in self.down:
            features.append(down(features[-1]))
        x = features[-1]
        hints: list[Tensor] = []
        for up, skip in zip(self.mask_up, features[-2::-1], strict=True):
            x = up(x, skip)
            hints.append(x)
        mask = self.mask_head(x)
        if self.as_published:
            hints = [*hints[:2], x3]
        x = self.depth_up[0](self.depth_down(features[-1]), features[-1])
        for level, (up, skip) in enumerate(zip(list(self.depth_up)[1:], features[-2::-1], strict=True)):
            x = up(x, skip)
            if level < len(hints):
                x = x + hints[level]
        return Prediction(mask, self.depth_head(x))

    def blocks(self) -> dict[str, list[nn.Module]]:
        """Stems, encoder levels, mask decoder and head, the deepest encoder, depth decoder and head."""
        return {
            "stems": [self.bg_stem, self.bg_fg_stem],
            "down1": [self.bg_down, self.bg_fg_down],
            **{f"down{i}": [level] for i, level in enumerate(self.down, 2)},
            "mask_decoder": [*self.mask_up],
            "mask_head": [self.mask_head],
            "down5": [self.depth_down],
            "depth_decoder": [*self.depth_up],
            "depth_head": [self.depth_head],
        }


@models.register(parameters={"masknet": 76_097}, stride=1, heads=("mask",), source="system 004, MaskNet3")
def masknet() -> MaskNet:
    """Mask from a 7x7 neighbourhood at full resolution."""
    return MaskNet()


@models.register(
    parameters={"depthmasknet": 7_083_874, "depthmasknet[as_published=true]": 7_083_874},
    stride=32,
    heads=("mask", "depth"),
    source="system 004, DepthMaskNet8",
)
def depthmasknet(as_published: bool = False) -> DepthMaskNet:
    """Residual encoder, additive skips, and a depth decoder fed by the mask decoder at every level."""
    return DepthMaskNet(as_published)
