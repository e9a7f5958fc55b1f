"""System 000 (PyTNet): a mask U-Net, a depth U-Net and the W-Net that joins them on one stem; and system 003's twin.

Sizes that are multiples of 16 but not of 32 leave an odd level in the depth branch; as published, the upsampled
features are padded to the skip's size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from registry.contract import Model, Prediction
from registry.models import models
from registry.models._blocks import Branch, double_conv
from registry.ranges import below, between

_MASK = (32, 64, 128, 256, 256)
_DEPTH = (32, 32, 64, 128, 256, 256)


class PyTNet(Model):
    """Stem over the six channels of both images, then a branch for each task.

    Args:
        mask: channels of the stem and of each level below it in the mask branch; None for no mask.
        depth: the same for the depth branch.
        dropout: element-wise dropout before each ReLU.
    """

    stride = 16

    def __init__(self, mask: tuple[int, ...] | None, depth: tuple[int, ...] | None, dropout: float = 0.0) -> None:
        super().__init__()
        widths = mask or depth
        if widths is None:
            raise ValueError("a PyTNet needs a mask branch, a depth branch or both")
        self.stem = double_conv(6, widths[0], dropout=dropout)
        self.branches = nn.ModuleDict(
            {name: Branch(w, dropout) for name, w in (("mask", mask), ("depth", depth)) if w is not None}
        )

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to the logits (B, 1, H, W) of its branches."""
        stem = self.stem(torch.cat([bg, bg_fg], dim=1))
        return Prediction(**{f"{name}_logits": branch(stem) for name, branch in self.branches.items()})

    def blocks(self) -> dict[str, list[nn.Module]]:
        """Of a single branch, stem and every level; of two, stem and the encoder, decoder and head of each."""
        blocks: dict[str, list[nn.Module]] = {"stem": [self.stem]}
        for name, branch in self.branches.items():
            assert isinstance(branch, Branch)
            blocks |= branch.stages(name) if len(self.branches) > 1 else branch.levels()
        return blocks


@models.register(parameters={"unet_mask": 4_321_473}, stride=16, heads=("mask",), source="system 000")
def unet_mask() -> PyTNet:
    """Mask branch of `wnet` alone."""
    return PyTNet(_MASK, None)


@models.register(parameters={"unet_depth": 4_367_937}, stride=16, heads=("depth",), source="system 000")
def unet_depth() -> PyTNet:
    """Depth branch of `wnet` alone."""
    return PyTNet(None, _DEPTH)


@models.register(
    parameters={"wnet": 8_678_274},
    stride=16,
    heads=("mask", "depth"),
    source="system 000",
    twins=("unet_mask", "unet_depth"),
)
def wnet() -> PyTNet:
    """A stem, a four-level U-Net for the mask and a five-level U-Net for the depth."""
    return PyTNet(_MASK, _DEPTH)


@models.register(
    ranges={"width": between(1, 256), "dropout": below(1)},
    parameters={"twin_unet": 2_161_666},
    stride=16,
    heads=("mask", "depth"),
    source="system 003",
)
def twin_unet(width: int = 16, dropout: float = 0.2) -> PyTNet:
    """System 000's mask branch at half width, twice, on a common stem, with element-wise dropout before each ReLU."""
    widths = (width, 2 * width, 4 * width, 8 * width, 8 * width)
    return PyTNet(widths, widths, dropout)
