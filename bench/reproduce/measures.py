"""The figures that the five systems quoted, each as its authors computed it. Faults and all, where they say so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from registry.contract import Prediction, Quartet
from registry.losses import parse
from registry.losses.objective import Objective

_AT_ONCE = 32
_EPSILON = 1e-4


@dataclass(frozen=True)
class Outputs:
    """What a model predicted for all test samples, and the targets; (N, 1, H, W) each, float32 on the CPU.

    Attributes:
        mask_logits, depth_logits: None for a head that the model does not have.
        mask, depth: targets in [0, 1].
        valid: where depth is known.
    """

    mask_logits: Tensor | None
    depth_logits: Tensor | None
    mask: Tensor
    depth: Tensor
    valid: Tensor


def value_is_target(outputs: Outputs) -> Outputs:
    """The prediction whose sigmoid is the target."""
    return Outputs(
        torch.logit(outputs.mask, 1e-6), torch.logit(outputs.depth, 1e-6), outputs.mask, outputs.depth, outputs.valid
    )


def depth_logits_are_target(outputs: Outputs, divided: float = 1.0) -> Outputs:
    """A perfect mask, and depth logits equal to the (divided) target: perfect where logits are compared."""
    return replace(value_is_target(outputs), depth_logits=outputs.depth / divided)


def loss(outputs: Outputs, recipe: str, times: float = 1.0) -> float:
    """Mean over test batches of a recipe's total, for the heads that the model has; ``times`` as much."""
    objective = Objective(parse(recipe), _heads(outputs))
    image = torch.zeros(1, 3, 1, 1).expand(len(outputs.mask), 3, *outputs.mask.shape[-2:])
    totals = []
    for start in range(0, len(outputs.mask), _AT_ONCE):
        at = slice(start, start + _AT_ONCE)
        predicted = {head: _pair(outputs, head)[0][at] for head in _heads(outputs)}
        quartet = Quartet(image[at], image[at], outputs.mask[at], outputs.depth[at], outputs.valid[at])
        prediction = Prediction(predicted.get("mask"), predicted.get("depth"))
        totals += [objective(prediction, quartet).total.detach()] * len(quartet)
    return times * float(torch.stack(totals).mean())


def coefficient(outputs: Outputs, divided: float = 1.0) -> float:
    """System 000's "Coef": soft Dice per image, ``(2 sum(pt) + 1e-4) / (sum(p) + sum(t) + 1e-4)``.

    The mean over images and over the heads that the model has.

    Args:
        outputs: predictions and targets.
        divided: what the targets are divided by once more; 255 in the original.
    """
    scores = []
    for head in _heads(outputs):
        predicted, target = _pair(outputs, head)
        predicted, target = predicted.sigmoid().flatten(1), target.flatten(1) / divided
        scores.append((2 * (predicted * target).sum(1) + _EPSILON) / (predicted.sum(1) + target.sum(1) + _EPSILON))
    return float(torch.cat(scores).mean())


def pooled_dice(outputs: Outputs, head: str) -> float:
    """System 002's Dice: soft, over all pixels of all images at once, ``2 sum(pt) / (sum(p) + sum(t))``."""
    predicted, target = _pair(outputs, head)
    predicted = predicted.sigmoid()
    return float(2 * (predicted * target).sum() / (predicted.sum() + target.sum()))


def mean_error(outputs: Outputs, head: str) -> float:
    """System 002's MAE, over all pixels of all images."""
    predicted, target = _pair(outputs, head)
    return float((predicted.sigmoid() - target).abs().mean())


def root_error(outputs: Outputs, head: str) -> float:
    """System 002's RMSE, over all pixels of all images."""
    predicted, target = _pair(outputs, head)
    return float((predicted.sigmoid() - target).square().mean().sqrt())


def foreground_share(outputs: Outputs) -> float:
    """Predicted foreground over true foreground, in pixels: 0 for a blank mask, 1 for a mask of the right size."""
    predicted, target = _pair(outputs, "mask")
    return float((predicted > 0).sum() / (target > 0.5).sum())


def depth_contrast(outputs: Outputs) -> float:
    """Spread of the predicted depth within an image over that of the truth, mean over images; 0 for a flat depth."""
    predicted, target = _pair(outputs, "depth")
    return float((predicted.sigmoid().flatten(1).std(1) / target.flatten(1).std(1).clamp(min=1e-3)).mean())


def mask_iou(outputs: Outputs) -> float:
    """IoU of the mask alone, both thresholded at a half, per image, then the mean; 1 where both are empty."""
    predicted, target = (values.flatten(1) for values in _pair(outputs, "mask"))
    both, either = ((predicted > 0) & (target > 0.5)).sum(1), ((predicted > 0) | (target > 0.5)).sum(1)
    return float(torch.where(either > 0, both / either, 1.0).mean())


def blended_iou(outputs: Outputs) -> float:
    """System 004's "IoU": soft, per image, of mask and depth in the same accumulator."""
    scores = []
    for head in ("mask", "depth"):
        predicted, target = _pair(outputs, head)
        predicted, target = predicted.sigmoid().flatten(1), target.flatten(1)
        both = (predicted * target).sum(1)
        scores.append((both + 1e-6) / (predicted.sum(1) + target.sum(1) - both + 1e-6))
    return float(torch.cat(scores).mean())


def inverted_rmse(outputs: Outputs) -> float:
    """System 004's "rmse": the inverse of the root mean square error of both heads, pixels of target 0 left out."""
    roots = []
    for head in ("mask", "depth"):
        predicted, target = _pair(outputs, head)
        known = target > _EPSILON
        roots.append(((predicted.sigmoid() - target)[known]).square().mean().sqrt())
    return float(1 / torch.stack(roots).mean())


def _heads(outputs: Outputs) -> tuple[str, ...]:
    predicted = {"mask": outputs.mask_logits, "depth": outputs.depth_logits}
    return tuple(head for head, logits in predicted.items() if logits is not None)


def _pair(outputs: Outputs, head: str) -> tuple[Tensor, Tensor]:
    predicted, target = (outputs.mask_logits, outputs.mask) if head == "mask" else (outputs.depth_logits, outputs.depth)
    if predicted is None:
        raise LookupError(f"the model has no {head}")
    return predicted, target
