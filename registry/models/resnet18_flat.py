"""System 000's first attempt: a ResNet-18 that never downsamples, whose lesson is memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import resnet18  # type: ignore[import-untyped]

from registry.contract import Model, Prediction
from registry.models import models


class ResNet18Flat(Model):
    """torchvision's ResNet-18 layout over six channels, every stride 1, no max pooling, two 1x1 heads.

    All its activations have the size of the images: 512 channels at full resolution where the strided
    network has 512 at a thirty-second.
    """

    def __init__(self) -> None:
        super().__init__()
        net = resnet18(weights=None)
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                module.stride = (1, 1)
        conv = nn.Conv2d(6, 64, 7, padding=3, bias=False)
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        self.stem = nn.Sequential(conv, net.bn1, net.relu)
        self.layers = nn.ModuleList([net.layer1, net.layer2, net.layer3, net.layer4])
        self.mask_head = nn.Conv2d(512, 1, 1)
        self.depth_head = nn.Conv2d(512, 1, 1)

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to mask and depth logits (B, 1, H, W)."""
        x = self.stem(torch.cat([bg, bg_fg], dim=1))
        for layer in self.layers:
            x = layer(x)
        return Prediction(self.mask_head(x), self.depth_head(x))

    def blocks(self) -> dict[str, list[nn.Module]]:
        """Stem, four layers, heads."""
        layers: dict[str, list[nn.Module]] = {f"layer{i}": [layer] for i, layer in enumerate(self.layers, 1)}
        return {"stem": [self.stem], **layers, "heads": [self.mask_head, self.depth_head]}


@models.register(stride=1, heads=("mask", "depth"), source="system 000, the attempt that ran out of memory")
def resnet18_flat() -> ResNet18Flat:
    """ResNet-18 without any stride: every layer at full resolution."""
    return ResNet18Flat()
