"""The figures that the five systems quoted, each as its authors computed it. Faults and all, where they say so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from registry.contract import Prediction, Quartet
from registry.losses.objective import Objective

_AT_ONCE = 32
_EPSILON = 1e-4


@dataclass(frozen=True)
class Seen:
    """What a model said of all test samples and what is true; (N, 1, H, W) each, float32 on the CPU.

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


def value_is_target(seen: Seen) -> Seen:
    """The prediction whose sigmoid is the target."""
    return Seen(torch.logit(seen.mask, 1e-6), torch.logit(seen.depth, 1e-6), seen.mask, seen.depth, seen.valid)


def depth_logits_are_target(seen: Seen, divided: float = 1.0) -> Seen:
    """A perfect mask, and depth logits equal to the (divided) target: perfect for one who compares logits."""
    return replace(value_is_target(seen), depth_logits=seen.depth / divided)


def loss(seen: Seen, recipe: str, times: float = 1.0) -> float:
    """Mean over test batches of a recipe's total, for the heads that the model has; ``times`` as much."""
    objective = Objective(recipe, _heads(seen))
    image = torch.zeros(1, 3, 1, 1).expand(len(seen.mask), 3, *seen.mask.shape[-2:])
    totals = []
    for start in range(0, len(seen.mask), _AT_ONCE):
        at = slice(start, start + _AT_ONCE)
        said = {head: _pair(seen, head)[0][at] for head in _heads(seen)}
        quartet = Quartet(image[at], image[at], seen.mask[at], seen.depth[at], seen.valid[at])
        prediction = Prediction(said.get("mask"), said.get("depth"))
        totals += [objective(prediction, quartet).total.detach()] * len(quartet)
    return times * float(torch.stack(totals).mean())


def coefficient(seen: Seen, divided: float = 1.0) -> float:
    """System 000's "Coef": soft Dice per image, ``(2 sum(pt) + 1e-4) / (sum(p) + sum(t) + 1e-4)``.

    The mean over images and over the heads that the model has.

    Args:
        seen: predictions and targets.
        divided: what the targets are divided by once more; 255 in the original.
    """
    scores = []
    for head in _heads(seen):
        said, true = _pair(seen, head)
        said, true = said.sigmoid().flatten(1), true.flatten(1) / divided
        scores.append((2 * (said * true).sum(1) + _EPSILON) / (said.sum(1) + true.sum(1) + _EPSILON))
    return float(torch.cat(scores).mean())


def pooled_dice(seen: Seen, head: str) -> float:
    """System 002's Dice: soft, over all pixels of all images at once, ``2 sum(pt) / (sum(p) + sum(t))``."""
    said, true = _pair(seen, head)
    said = said.sigmoid()
    return float(2 * (said * true).sum() / (said.sum() + true.sum()))


def mean_error(seen: Seen, head: str) -> float:
    """System 002's MAE, over all pixels of all images."""
    said, true = _pair(seen, head)
    return float((said.sigmoid() - true).abs().mean())


def root_error(seen: Seen, head: str) -> float:
    """System 002's RMSE, over all pixels of all images."""
    said, true = _pair(seen, head)
    return float((said.sigmoid() - true).square().mean().sqrt())


def foreground_share(seen: Seen) -> float:
    """Predicted foreground over true foreground, in pixels: 0 for a blank mask, 1 for one of the right size."""
    said, true = _pair(seen, "mask")
    return float((said > 0).sum() / (true > 0.5).sum())


def depth_contrast(seen: Seen) -> float:
    """Spread of the predicted depth within an image over that of the truth, mean over images; 0 for a flat depth."""
    said, true = _pair(seen, "depth")
    return float((said.sigmoid().flatten(1).std(1) / true.flatten(1).std(1).clamp(min=1e-3)).mean())


def mask_iou(seen: Seen) -> float:
    """IoU of the mask alone, both thresholded at a half, per image, then the mean; 1 where both are empty."""
    said, true = (one.flatten(1) for one in _pair(seen, "mask"))
    both, either = ((said > 0) & (true > 0.5)).sum(1), ((said > 0) | (true > 0.5)).sum(1)
    return float(torch.where(either > 0, both / either, 1.0).mean())


def blended_iou(seen: Seen) -> float:
    """System 004's "IoU": soft, per image, of mask and depth in one accumulator."""
    scores = []
    for head in ("mask", "depth"):
        said, true = _pair(seen, head)
        said, true = said.sigmoid().flatten(1), true.flatten(1)
        both = (said * true).sum(1)
        scores.append((both + 1e-6) / (said.sum(1) + true.sum(1) - both + 1e-6))
    return float(torch.cat(scores).mean())


def inverted_rmse(seen: Seen) -> float:
    """System 004's "rmse": one over the root mean square error of both heads, pixels of target 0 left out."""
    roots = []
    for head in ("mask", "depth"):
        said, true = _pair(seen, head)
        known = true > _EPSILON
        roots.append(((said.sigmoid() - true)[known]).square().mean().sqrt())
    return float(1 / torch.stack(roots).mean())


def _heads(seen: Seen) -> tuple[str, ...]:
    said = {"mask": seen.mask_logits, "depth": seen.depth_logits}
    return tuple(head for head, logits in said.items() if logits is not None)


def _pair(seen: Seen, head: str) -> tuple[Tensor, Tensor]:
    said, true = (seen.mask_logits, seen.mask) if head == "mask" else (seen.depth_logits, seen.depth)
    if said is None:
        raise LookupError(f"the model has no {head}")
    return said, true
