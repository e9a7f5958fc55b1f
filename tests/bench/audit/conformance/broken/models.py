"""Models that break one rule each, as people write them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from examples.my_model import SmallNet
from registry.contract import Prediction


class TwoTensors(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Any:
        prediction = super().forward(bg, bg_fg)
        return prediction.mask_logits, prediction.depth_logits


class TwoChannels(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(mask_logits=super().forward(bg, bg_fg).mask_logits.expand(-1, 2, -1, -1))


class HalfSize(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(super().forward(bg, bg_fg).mask_logits[..., ::2, ::2])


class NoHead(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction()


class Spare(SmallNet):
    def __init__(self) -> None:
        super().__init__(4)
        self.spare = nn.Linear(2, 2)


class Detached(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        prediction = super().forward(bg, bg_fg)
        return Prediction(prediction.mask_logits.detach(), prediction.depth_logits.detach())


class RootOfZero(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        prediction = super().forward(bg, bg_fg)
        return Prediction((prediction.mask_logits * 0).sqrt() + prediction.mask_logits, prediction.depth_logits)


class WrongStride(SmallNet):
    stride = 2


class OneSize(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        logits = super().forward(bg, bg_fg).mask_logits
        return Prediction(logits.view(-1, 1, bg.shape[-1], bg.shape[-1]))


class CutToStride(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        height, width = (side // self.stride * self.stride for side in bg.shape[-2:])
        return super().forward(bg[..., :height, :width], bg_fg[..., :height, :width])


class BatchNormAlways(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        prediction = super().forward(bg, bg_fg)
        return Prediction(prediction.mask_logits / prediction.mask_logits.std())


class DropoutAlways(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(nn.functional.dropout(super().forward(bg, bg_fg).mask_logits))


class OwnSeed(SmallNet):
    built = 0

    def __init__(self) -> None:
        super().__init__(4)
        OwnSeed.built += 1
        nn.init.constant_(self.mask.bias, float(OwnSeed.built))


class PlainAttribute(SmallNet):
    """Keeps something random that it needs outside the state dict."""

    def __init__(self) -> None:
        super().__init__(4)
        self.offset = torch.randn(1)

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(super().forward(bg, bg_fg).mask_logits + self.offset)


class CountsInBfloat16(SmallNet):
    """Adds a large number and takes it away again: exact in float32 alone."""

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        logits = super().forward(bg, bg_fg).mask_logits
        return Prediction((logits + 1000) - 1000)


class Strides(SmallNet):
    """Reads its input's memory as it lies."""

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        turned = bg.as_strided(bg.shape, (bg[0].numel(), bg[0, 0].numel(), bg.shape[-1], 1))
        return Prediction(super().forward(bg, bg_fg).mask_logits + turned.mean(1, keepdim=True))


class InPlace(SmallNet):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return super().forward(bg.sub_(0.5), bg_fg)


class PooledToOne(SmallNet):
    def __init__(self) -> None:
        super().__init__(4)
        self.norm = nn.BatchNorm1d(6)

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        scale = self.norm(torch.cat([bg, bg_fg], 1).mean((2, 3))).mean(1).view(-1, 1, 1, 1)
        prediction = super().forward(bg, bg_fg)
        return Prediction(prediction.mask_logits * scale, prediction.depth_logits)


def small(kind: type[SmallNet]) -> nn.Module:
    return kind() if kind.__init__ is not SmallNet.__init__ else kind(4)


MODELS = [
    (TwoTensors, "predicts", "returns a tuple"),
    (TwoChannels, "predicts", r"shape \(2, 2, "),
    (HalfSize, "predicts", r"mask_logits have shape \(2, 1, 6, 4\)"),
    (NoHead, "predicts", "without any logits"),
    (Spare, "gradients", "spare.weight, spare.bias"),
    (Detached, "gradients", "do not depend on the parameters"),
    (RootOfZero, "gradients", "is not finite"),
    (WrongStride, "sizes", r"2x2 px \(its stride is 2\)"),
    (OneSize, "sizes", "4x20 px"),
    (CutToStride, "other_sizes", "have shape"),
    (PooledToOne, "one_image", "Expected more than 1 value"),
    (BatchNormAlways, "evaluation", "alone differs"),
    (DropoutAlways, "evaluation", "two evaluations"),
    (OwnSeed, "seed", "mask.bias differs"),
    (PlainAttribute, "state", "after loading"),
    (CountsInBfloat16, "bfloat16", "in bfloat16 differ"),
    (Strides, "channels_last", "channels_last differ"),
    (InPlace, "inputs", "alters bg in place"),
]
