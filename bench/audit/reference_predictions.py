"""Three predictions of known worth, and their loss: perfect, best constant, loss-optimal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from registry.contract import Prediction, Quartet
from registry.losses.objective import Losses, Objective

CERTAIN = 1e-6
"""How far a perfect prediction stays from 0 and 1: no finite logit exists for either."""

_STEPS, _RATE = 80, 0.4
_SOFT = 0.02
"""A descent from the truth begins this far from 0 and 1, where the sigmoid still has a slope."""
_CONSTANTS = torch.linspace(-8, 8, 33).tolist()
_MOVES: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda value: 0.8 * value,
    lambda value: (value + 0.1).clamp(max=1),
    lambda value: (value - 0.1).clamp(min=0),
)
"""What a loss may be blind to: another scale, another offset."""
_AS_GOOD = 1e-3
"""How near the truth's loss, as a share of what can be learnt, counts as equal."""


@dataclass(frozen=True)
class Point:
    """A prediction, and its loss under the recipe.

    Attributes:
        logits: by head, (B, 1, H, W).
        loss: the weighted sum of each head's terms.
        terms: every term's value before its weight, by ``head.key``.
    """

    logits: Mapping[str, Tensor]
    loss: Mapping[str, float]
    terms: Mapping[str, float]


@dataclass(frozen=True)
class ReferencePredictions:
    """The loss at three points.

    Attributes:
        perfect: the truth itself, through the sigmoid.
        constant: each head's best constant.
        optimum: each head's lowest loss that free logits reached; where that is no lower than the truth's, what was
            reached from nothing known, or the truth on another scale, if the loss sees no difference.
    """

    perfect: Point
    constant: Point
    optimum: Point


def logits_of(values: Tensor) -> Tensor:
    """The logits whose activation is ``values``, which are held off 0 and 1 by `CERTAIN`."""
    return torch.logit(values, eps=CERTAIN)


def find_reference_predictions(
    objective: Objective, truth: Mapping[str, Tensor], quartet: Quartet
) -> ReferencePredictions:
    """Look for the three points; the most costly part of an audit.

    Args:
        objective: a recipe on the heads of ``truth``, without weighting of the heads.
        truth: each trained head's target in [0, 1], (B, 1, H, W).
        quartet: the samples that it is of.
    """
    at = _Evaluator(objective, quartet)
    perfect = at({head: logits_of(value) for head, value in truth.items()})
    levels = [dict.fromkeys(truth, level) for level in _CONSTANTS]
    levels.append({head: float(logits_of(value.mean())) for head, value in truth.items()})
    flat = [at({head: torch.full_like(value, level[head]) for head, value in truth.items()}) for level in levels]
    constant = _lowest(at, flat)
    found = _descend(at, {head: torch.zeros_like(value) for head, value in truth.items()})
    stayed = _descend(at, {head: torch.logit(value, eps=_SOFT) for head, value in truth.items()})
    moved = [at({head: logits_of(move(value)) for head, value in truth.items()}) for move in _MOVES]
    # What is not the truth counts as the optimum if the loss sees no difference.
    slack = {head: _AS_GOOD * max(0.0, constant.loss[head] - perfect.loss[head]) for head in truth}
    optimum = _lowest(at, [*moved, found, stayed, perfect, constant], slack)
    has_gradient = pixels_with_gradient(objective, truth, quartet)
    # Where no term has a gradient the loss has no optimum: `optimum.coverage` reports that.
    wanted = {head: torch.where(has_gradient[head], optimum.logits[head], perfect.logits[head]) for head in truth}
    return ReferencePredictions(perfect, constant, at(wanted))


def pixels_with_gradient(objective: Objective, truth: Mapping[str, Tensor], quartet: Quartet) -> dict[str, Tensor]:
    """Which pixels of each head the loss has a gradient in, by head, bool (B, 1, H, W).

    A pixel counts if it has a gradient at any of a few guesses, far from the truth and near it: some are flat far off,
    others nearby, and of those made of absolute differences the slopes may cancel.
    """
    draw = torch.Generator().manual_seed(0)
    has_gradient = {head: torch.zeros_like(value, dtype=torch.bool) for head, value in truth.items()}
    for near in 3 * (0.0, 1.0):
        logits = {
            head: (near * torch.logit(value, eps=_SOFT) + torch.randn(value.shape, generator=draw)).requires_grad_()
            for head, value in truth.items()
        }
        total = objective(predict(logits), quartet).total
        slopes = torch.autograd.grad(total, list(logits.values()), allow_unused=True)
        for head, slope in zip(logits, slopes, strict=True):
            has_gradient[head] |= torch.zeros_like(has_gradient[head]) if slope is None else slope != 0
    return has_gradient


@dataclass(frozen=True)
class _Evaluator:
    """Asks the objective about logits."""

    objective: Objective
    quartet: Quartet

    def __call__(self, logits: Mapping[str, Tensor]) -> Point:
        with torch.no_grad():
            losses = self.objective(predict(logits), self.quartet)
        loss, terms = ({name: float(value) for name, value in table.items()} for table in (losses.heads, losses.terms))
        return Point(logits, loss, terms)

    def total(self, logits: Mapping[str, Tensor]) -> Tensor:
        losses: Losses = self.objective(predict(logits), self.quartet)
        return losses.total


def predict(logits: Mapping[str, Tensor]) -> Prediction:
    """A prediction of these logits by head."""
    return Prediction(logits.get("mask"), logits.get("depth"))


def _lowest(at: _Evaluator, points: list[Point], slack: Mapping[str, float] | None = None) -> Point:
    """Of each head the first point whose loss is within ``slack`` of the lowest; the heads do not see each other."""
    logits = {}
    for head in points[0].logits:
        lowest = min((p.loss[head] for p in points if math.isfinite(p.loss[head])), default=math.nan)
        bar = lowest + (slack or {}).get(head, 0.0)
        logits[head] = next((p for p in points if p.loss[head] <= bar), points[-1]).logits[head]
    return at(logits)


def _descend(at: _Evaluator, start: Mapping[str, Tensor]) -> Point:
    """Free logits follow the loss downhill: Adam with a rate that falls along half a cosine."""
    logits = {head: value.clone().requires_grad_() for head, value in start.items()}
    optimizer = torch.optim.Adam(list(logits.values()), lr=_RATE, betas=(0.8, 0.95))
    pixels = next(iter(logits.values())).numel()
    for step in range(_STEPS):
        optimizer.param_groups[0]["lr"] = _RATE * 0.5 * (1 + math.cos(math.pi * step / _STEPS))
        optimizer.zero_grad(set_to_none=True)
        # Summed rather than averaged: Adam's epsilon is no small number beside the gradient of a mean over pixels.
        (at.total(logits) * pixels).backward()  # type: ignore[no-untyped-call]
        for value in logits.values():
            if value.grad is not None:
                value.grad.nan_to_num_()
        optimizer.step()
    return at({head: value.detach() for head, value in logits.items()})
