"""What every metric must do, whatever it measures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.audit.conformance.check import NotApplicable, check, require
from bench.metrics.metric import Metric
from bench.metrics.scores import values_of
from bench.metrics.view import View
from registry.contract import Prediction, Quartet

_IMAGES, _HEIGHT, _WIDTH = 4, 64, 72
_CLOSE = 2e-3
"""How far from its perfect value a metric may be on the truth: a sigmoid never quite reaches 0 or 1."""


@dataclass
class MetricPlugin:
    """A metric under check.

    Attributes:
        metric: with its parameters fixed.
    """

    metric: Metric

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.metric.key

    @property
    def depth(self) -> bool:
        """Whether it looks at depth, parts of which are unknown."""
        return "depth" in self.metric.facts.needs

    def truth(self, height: int = _HEIGHT, width: int = _WIDTH) -> Quartet:
        """`truth`, without objects where the metric is about such images alone."""
        quartet = truth(height=height, width=width)
        if self.values(perfect(quartet), quartet).isnan().all():
            assert quartet.mask is not None
            quartet.mask = torch.zeros_like(quartet.mask)
        return quartet

    def values(self, prediction: Prediction, truth: Quartet) -> Tensor:
        """Its value for each image, (B,), NaN where it has nothing to say."""
        with torch.no_grad():
            return values_of(self.metric, View(prediction, truth))


def truth(images: int = _IMAGES, height: int = _HEIGHT, width: int = _WIDTH) -> Quartet:
    """Ellipses before a wavy wall, with a hole in what is known of the depth."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    number = torch.arange(images).view(-1, 1, 1, 1)
    across, down = 0.4 + 0.06 * number, 0.55 - 0.05 * number
    mask = (((columns - across) / 0.2) ** 2 + ((rows - down) / 0.28) ** 2 < 1).float()
    wall = 0.6 + 0.2 * (4 * rows + 6 * columns + number).sin()
    depth = torch.where(mask > 0, wall - 0.25, wall)
    valid = torch.ones_like(depth)
    valid[:, :, 2 : height // 8, 3 : width // 6] = 0
    image = depth.repeat(1, 3, 1, 1)
    return Quartet(image, torch.where(mask > 0, 0.9, image), mask, depth, valid)


def perfect(quartet: Quartet) -> Prediction:
    """The prediction whose activated values are the targets."""
    assert quartet.mask is not None and quartet.depth is not None
    return Prediction(torch.logit(quartet.mask, eps=1e-6), torch.logit(quartet.depth, eps=1e-6))


def worse(quartet: Quartet, size: float) -> Prediction:
    """Masks moved aside, an object found in a corner, depth off by noise: the more the larger ``size`` in [0, 1]."""
    assert quartet.mask is not None and quartet.depth is not None
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(quartet.depth.shape, generator=generator)
    mask = quartet.mask.roll(round(size * quartet.mask.shape[-1] / 2), dims=-1)
    height, width = (side - round(16 * size) for side in mask.shape[-2:])
    mask[..., height:, width:] = 1
    depth = (1 - size) * quartet.depth + size * noise
    return Prediction(torch.logit((1 - size) * mask + size * 0.5, eps=1e-6), torch.logit(depth, eps=1e-6))


def _pick(prediction: Prediction, quartet: Quartet, images: list[int]) -> tuple[Prediction, Quartet]:
    assert prediction.mask_logits is not None and prediction.depth_logits is not None
    some = Prediction(prediction.mask_logits[images], prediction.depth_logits[images])
    return some, quartet.map(lambda tensor: tensor[images])


@check("tables, intervals and groups of images rest on a value per image")
def per_image(plugin: MetricPlugin) -> None:
    """It gives a single number per image, within its bounds."""
    quartet = plugin.truth()
    values = plugin.values(worse(quartet, 0.3), quartet)
    low, high = (math.nan if bound is None else bound for bound in plugin.metric.facts.bounds)
    require(values.isfinite().all(), f"its values are {values.tolist()} for an ordinary prediction")
    outside = (values < low - 1e-6) | (values > high + 1e-6)  # comparisons with NaN are False: no bound
    require(not outside.any(), f"its values {values.tolist()} leave its bounds, {plugin.metric.facts.bounds}")


@check("skill and colours are measured from the perfect value")
def perfect_is_perfect(plugin: MetricPlugin) -> None:
    """On the truth it has its perfect value."""
    quartet, expected = plugin.truth(), plugin.metric.facts.perfect
    values = plugin.values(perfect(quartet), quartet)
    gap = float((values - expected).abs().max())
    require(gap <= _CLOSE * max(1.0, abs(expected)), f"it is {values.tolist()} on the truth, not {expected:g}")


@check("ranks, stars and the choice of a checkpoint would be the wrong way round")
def direction(plugin: MetricPlugin) -> None:
    """It gets worse, in the direction it declares, as the prediction does."""
    quartet, higher = plugin.truth(), plugin.metric.facts.higher_is_better
    means = [float(plugin.values(worse(quartet, size), quartet).nanmean()) for size in (0.0, 0.1, 0.6)]
    shown = ", ".join(f"{value:.4g}" for value in means)
    declared = f"{'higher' if higher else 'lower'} is declared better"
    signed = [value if higher else -value for value in means]
    require(signed[0] >= max(signed), f"{declared}, and it is {shown} at growing errors")
    require(signed[0] > signed[2], f"it is {shown} at growing errors: it does not see them")


@check("a score would depend on the test batch")
def independent(plugin: MetricPlugin) -> None:
    """An image's value does not depend on the others of its batch, nor on their order."""
    quartet = plugin.truth()
    prediction = worse(quartet, 0.2)
    together = plugin.values(prediction, quartet)
    alone = torch.cat([plugin.values(*_pick(prediction, quartet, [i])) for i in range(_IMAGES)])
    require(_same(together, alone), f"it gives {together.tolist()} in a batch, {alone.tolist()} image by image")
    turned = plugin.values(*_pick(prediction, quartet, list(range(_IMAGES))[::-1])).flip(0)
    require(_same(together, turned), "its values depend on the order of the images")


@check("photographs without an object are in most data sets: such an image has a value, or none (NaN)")
def uniform_masks(plugin: MetricPlugin) -> None:
    """Empty and full masks, true and predicted, give a value per image or NaN, and no error."""
    for fill in (0.0, 1.0):
        quartet = truth()
        assert quartet.mask is not None
        quartet.mask = torch.full_like(quartet.mask, fill)
        for prediction, name in ((worse(truth(), 0.3), "an ordinary"), (perfect(quartet), "a perfect")):
            values = plugin.values(prediction, quartet)
            shown = f"{values.tolist()} for {name} prediction where the true mask is {'full' if fill else 'empty'}"
            require(not values.isinf().any(), f"it gives {shown}")
            known, expected = values[~values.isnan()], plugin.metric.facts.perfect
            if name == "a perfect" and len(known):
                gap = float((known - expected).abs().max())
                require(gap <= _CLOSE * max(1.0, abs(expected)), f"it gives {shown}, not {expected:g} or NaN")


@check("an image without depth would score, or spoil the mean of those that have some")
def nothing_known(plugin: MetricPlugin) -> None:
    """Where no depth is known an image has no value (NaN), and the others keep theirs."""
    _only_depth(plugin)
    quartet = plugin.truth()
    prediction = worse(quartet, 0.2)
    before = plugin.values(prediction, quartet)
    assert quartet.valid is not None
    quartet.valid[1] = 0
    values = plugin.values(Prediction(prediction.mask_logits, prediction.depth_logits), quartet)
    require(values[1].isnan(), f"it is {float(values[1]):.4g} for an image whose depth is nowhere known, not NaN")
    rest = torch.tensor([0, 2, 3])
    require(_same(values[rest], before[rest]), "values of other images change where an image has no known depth")


@check("what a sensor did not see would count")
def unknown_pixels(plugin: MetricPlugin) -> None:
    """Depths that are unknown, NaN too, have no influence."""
    _only_depth(plugin)
    quartet = plugin.truth()
    prediction = worse(quartet, 0.2)
    before = plugin.values(prediction, quartet)
    assert quartet.valid is not None and quartet.depth is not None and prediction.depth_logits is not None
    hole = quartet.valid == 0
    quartet.depth = torch.where(hole, math.nan, quartet.depth)
    second = Prediction(prediction.mask_logits, torch.where(hole, 7.0, prediction.depth_logits))
    after = plugin.values(second, quartet)
    require(_same(before, after), f"what lies under valid = 0 changes it from {before.tolist()} to {after.tolist()}")


@check("every other metric sees the same tensors")
def inputs(plugin: MetricPlugin) -> None:
    """It alters neither prediction nor truth."""
    quartet = plugin.truth()
    prediction = worse(quartet, 0.2)
    given = {**dict(quartet.tensors()), "mask_logits": prediction.mask_logits, "depth_logits": prediction.depth_logits}
    before = {name: tensor.clone() for name, tensor in given.items() if tensor is not None}
    plugin.values(prediction, quartet)
    for name, tensor in before.items():
        require(torch.equal(tensor, given[name]), f"it alters {name} in place")  # type: ignore[arg-type]


@check("protocols test at several sizes, and photographs are seldom square")
def odd_sizes(plugin: MetricPlugin) -> None:
    """Odd and rectangular sizes are taken."""
    quartet, expected = plugin.truth(51, 45), plugin.metric.facts.perfect
    values = plugin.values(perfect(quartet), quartet)
    gap = float((values - expected).abs().max())
    require(
        gap <= _CLOSE * max(1.0, abs(expected)), f"it is {values.tolist()} on the truth at 51x45 px, not {expected:g}"
    )


CHECKS = (
    per_image,
    perfect_is_perfect,
    direction,
    independent,
    uniform_masks,
    nothing_known,
    unknown_pixels,
    inputs,
    odd_sizes,
)
"""In the order in which they are made."""


def _only_depth(plugin: MetricPlugin) -> None:
    if not plugin.depth:
        raise NotApplicable("it does not use depth")


def _same(first: Tensor, second: Tensor) -> bool:
    return torch.allclose(first, second, rtol=1e-4, atol=1e-5, equal_nan=True)
