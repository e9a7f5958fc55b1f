"""Plug-ins that break one rule each, as people write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bench.data.split import Part
from bench.metrics.metric import Metric, make_facts
from bench.metrics.view import View
from examples.my_model import SmallNet
from examples.my_source import Discs
from registry.contract import Head, Prediction, Quartet, Target

# models


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

# terms


def three(prediction: Head, target: Target, weight: Tensor) -> Tensor:
    return squared(prediction, target) * weight.mean()


def squared(prediction: Head, target: Target) -> Tensor:
    """Sound; the others below are made of it."""
    known = target.known > 0.5
    error = torch.where(known, prediction.value - torch.where(known, target.value, 0.0), 0.0)
    return (error.square().flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)).mean()


def per_image(prediction: Head, target: Target) -> Tensor:
    return (prediction.value - target.value).square().flatten(1).mean(1)


def number(prediction: Head, target: Target) -> Any:
    return float(squared(prediction, target).detach())


def hard(prediction: Head, target: Target) -> Tensor:
    return ((prediction.value > 0.5).float() - target.value).abs().mean()


def of_logits(prediction: Head, target: Target) -> Tensor:
    return (prediction.logits - target.value).square().mean()


def upside_down(prediction: Head, target: Target) -> Tensor:
    return 1 - squared(prediction, target)


def relative(prediction: Head, target: Target) -> Tensor:
    return ((prediction.value - target.value).abs().sum() / target.value.sum()).mean()


def offset(prediction: Head, target: Target) -> Tensor:
    return squared(prediction, target) + 0.01


def everywhere(prediction: Head, target: Target) -> Tensor:
    error = (prediction.value - target.value).square() * target.known.mean().ceil()
    return torch.where(target.known.sum() > 0, error.mean(), error.sum() * 0)


def everywhere_on_masks(prediction: Head, target: Target) -> Tensor:
    return (prediction.value - target.stored).square().mean()


def multiplied(prediction: Head, target: Target) -> Tensor:
    """Takes what is stored and masks by multiplication: 0 * NaN is NaN."""
    error = (prediction.value - target.stored).square() * target.known
    return error.sum() / target.known.sum().clamp(min=1)


def entropy(prediction: Head, target: Target) -> Tensor:
    known = target.known > 0.5
    value, truth = torch.where(known, prediction.value, 0.5), torch.where(known, target.value, 0.5)
    cost = -(truth * value.log() + (1 - truth) * (1 - value).log())
    return torch.where(known, cost, 0.0).sum() / known.sum().clamp(min=1)


def in_place(prediction: Head, target: Target) -> Tensor:
    target.value.clamp_(0.1, 0.9)
    return squared(prediction, target)


def random(prediction: Head, target: Target) -> Tensor:
    return squared(prediction, target) * (1 + torch.rand(()))


def of_the_batch(prediction: Head, target: Target) -> Tensor:
    return squared(prediction, target).clamp(min=1e-12).sqrt()


def double(prediction: Head, target: Target) -> Tensor:
    return squared(prediction, target).double()


TERMS = [
    (per_image, "scalar", r"shape \(3,\): take the mean"),
    (number, "scalar", "returns a float"),
    (hard, "scalar", "does not depend on the prediction"),
    (double, "scalar", "float64"),
    (of_logits, "optimum", "at the truth and"),
    (upside_down, "optimum", "its complement|noise"),
    (relative, "uniform_targets", "on an empty target"),
    (offset, "nothing_known", "0.01 where no depth is known"),
    (everywhere, "unknown_pixels", "with other depth where depth is unknown"),
    (multiplied, "unknown_pixels", "with NaN where depth is unknown"),
    (everywhere_on_masks, "unknown_mask", "where the mask is unknown"),
    (entropy, "far_logits", "at logits of"),
    (in_place, "inputs", "alters target.value"),
    (random, "repeatable", "two calls give"),
    (of_the_batch, "mean_over_images", "over a batch"),
    (double, "rounded_logits", "float64"),
]

# metrics


def rmse(view: View) -> Tensor:
    """Sound; the others below are made of it."""
    return view.mean(view.squared_error).sqrt()


def pooled(view: View) -> Tensor:
    return rmse(view).mean()


def percent(view: View) -> Tensor:
    return 100 * rmse(view)


def shifted(view: View) -> Tensor:
    return rmse(view) + 0.1


def inverted(view: View) -> Tensor:
    return 1 / (1 + rmse(view))


def blind_metric(view: View) -> Tensor:
    return 0 * rmse(view)


def of_the_whole_batch(view: View) -> Tensor:
    values = rmse(view)
    return values - values.min()


def per_object(view: View) -> Tensor:
    return view.mean(view.squared_error).sqrt() / view.pixels_on[1]


def zero_if_unknown(view: View) -> Tensor:
    return rmse(view).nan_to_num(0.0)


def all_pixels(view: View) -> Tensor:
    prediction, target = view.judged("depth")
    error = (prediction.value - target.value).square().flatten(1).mean(1).sqrt()
    return torch.where(view.valid_pixels > 0, error, torch.nan)


def clamps(view: View) -> Tensor:
    _, target = view.judged("mask")
    target.value.mul_(0.999)
    return rmse(view)


def halves(view: View) -> Tensor:
    error = view.squared_error
    return error.unflatten(-1, (2, -1)).mean((1, 2, 3, 4)).sqrt()


METRICS = [
    (pooled, "per_image", "one value per image"),
    (percent, "per_image", "leave its bounds"),
    (shifted, "perfect_is_perfect", "on the truth, not 0"),
    (inverted, "direction", "lower is declared better"),
    (blind_metric, "direction", "does not see them"),
    (of_the_whole_batch, "independent", "image by image"),
    (per_object, "uniform_masks", "inf"),
    (zero_if_unknown, "nothing_known", "nowhere known, not NaN"),
    (all_pixels, "unknown_pixels", "what lies under valid = 0"),
    (clamps, "inputs", "alters mask in place"),
    (halves, "odd_sizes", "multiply up"),
]


def metric(function: Callable[[View], Tensor], **facts: Any) -> Metric:
    known = {"head": "depth", "higher_is_better": False, "bounds": (0.0, 1.0), "needs": ("depth", "mask"), **facts}
    return Metric(function.__name__, make_facts(function.__name__, known), function)


# sources


class NotASource:
    def render(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return Discs().render(part, ids, size)


class NoEncoding(Discs):
    encoding = None  # type: ignore[assignment]


class NotDivided(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes(part, ids, size).map(lambda tensor: tensor * 255)


class Double(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes(part, ids, size).map(Tensor.double)


class NoDepthAfterAll(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        return Quartet(quartet.bg, quartet.bg_fg, quartet.mask)


class Fixed(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes(part, ids, 32)


class Chance(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        quartet.bg_fg = (quartet.bg_fg * (0.9 + 0.1 * torch.rand(len(ids), 1, 1, 1))).clamp(0, 1)
        return quartet


class Narrow(Discs):
    """Sample numbers pass through 32 bits, as a hash written for NumPy would."""

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        quartet.bg = (quartet.bg * (1 - 0.1 * (ids.min() == ids).float().view(-1, 1, 1, 1))).clamp(0, 1)
        return quartet


class Same(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes(part, torch.zeros_like(ids), size)


class AllParts(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return super().scenes("train", ids, size)


class Empty(Discs):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        assert quartet.mask is not None
        quartet.mask = quartet.mask * 0.3
        return quartet


class FloatGroups(Discs):
    def groups(self, part: Part, ids: Tensor) -> Any:
        return tuple(numbers.double() for numbers in super().groups(part, ids))


class OneGroup(Discs):
    def groups(self, part: Part, ids: Tensor) -> Any:
        return super().groups(part, ids)[:1]


class Leaks(Discs):
    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        return ids % 20, super().groups(part, ids)[1]


class NotJson(Discs):
    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "device": self.device}


class SaysLittle(Discs):
    def describe(self) -> dict[str, Any]:
        return {"kind": self.kind}


class Stays(Discs):
    def to(self, device: torch.device | str) -> Any:
        moved = super().to(device)
        moved.device = torch.device("meta")
        return moved


class TakesAnything(Discs):
    def render(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return self.scenes(part if part in ("train", "val", "test") else "train", ids, size)

    def stream(self, part: Part) -> str:
        return f"discs/{part}"


SOURCES: list[tuple[type, str, str]] = [
    (NotASource, "facts", "which is no bench.data.source.Source"),
    (NoEncoding, "facts", "no encoding"),
    (NotDivided, "quartets", "outside"),
    (Double, "quartets", "float64"),
    (NoDepthAfterAll, "quartets", "has_depth is not true"),
    (Fixed, "quartets", "at 16 px"),
    (Chance, "pure", "bg_fg depends on the order of the batch, or on chance"),
    (Narrow, "pure", "alone differs from it in a batch"),
    (Same, "distinct", "the same picture"),
    (AllParts, "distinct", "are the training samples"),
    (Empty, "masks", "masks are empty"),
    (FloatGroups, "groups", "not int64"),
    (OneGroup, "groups", "not two"),
    (Leaks, "disjoint", "train and val share 20 background groups"),
    (NotJson, "description", "is not JSON"),
    (SaysLittle, "description", "camera, encoding"),
    (Stays, "device", "its device is meta"),
    (TakesAnything, "refusals", "size of 63"),
]
