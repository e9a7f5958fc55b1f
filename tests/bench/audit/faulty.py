"""Code with the faults that the audit must find: terms, models, schedules, augmentations and metrics of one's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR

from bench.data.augment.pipeline import augment
from bench.metrics import Metric, MetricFacts
from bench.metrics.view import View, total
from registry.contract import Head, Prediction, Quartet, Target
from registry.schedules import Schedule

# terms


def charbonnier(prediction: Head, target: Target, eps: float = 0.01) -> Tensor:
    """Sound, but for unknown depth, which it counts."""
    return ((prediction.value - target.value) ** 2 + eps**2).sqrt().mean()


def sound(prediction: Head, target: Target) -> Tensor:
    error = (prediction.value - target.value).square().flatten(1)
    known = torch.ones_like(error) if target.valid is None else target.valid.flatten(1)
    sums = (torch.where(known > 0.5, error, 0.0)).sum(1) / known.sum(1).clamp(min=1)
    return sums.mean()


def on_logits(prediction: Head, target: Target) -> Tensor:
    return (prediction.logits - target.value).abs().mean()


def no_floor(prediction: Head, target: Target) -> Tensor:
    return (prediction.logits * (0.5 - target.value)).mean()


def blind(prediction: Head, target: Target) -> Tensor:
    return 1e-3 * (prediction.value - target.value).abs().mean()


def not_finite_when_empty(prediction: Head, target: Target) -> Tensor:
    value = target.value
    return ((prediction.value - value).abs().flatten(1).sum(1) / value.flatten(1).sum(1)).mean()


def raises(prediction: Head, target: Target) -> Tensor:
    raise KeyError("no such thing")


# models


class Net(nn.Module):
    """One convolution to two heads; faults by name."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.conv, self.spare, self.fault = nn.Conv2d(6, 2, 3, padding=1), nn.Linear(2, 2), fault

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        out = self.conv(torch.cat([bg, bg_fg], 1))
        mask, depth = out.split(1, 1)
        if self.fault == "spare":
            return Prediction(mask, depth)
        return Prediction(mask, depth.detach())


def detached() -> nn.Module:
    return Net("detached")


def spare() -> nn.Module:
    return Net("spare")


class LargeOnly(nn.Module):
    """Sound, but takes images of 64 px alone and does not say so."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 3, padding=1)

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(*self.conv(torch.cat([bg, bg_fg], 1)).view(-1, 2, 64, 64).split(1, 1))


def large_only() -> nn.Module:
    return LargeOnly()


# schedules


def of_another_optimizer() -> Callable[[Any, int], Schedule]:
    """System 003: the scheduler holds an optimizer that is not used."""
    return lambda optimizer, steps: Schedule(StepLR(SGD([nn.Parameter(torch.zeros(1))], lr=0.1), 1), "epoch")


# augmentations


def inputs_alone(quartet: Quartet, seed: int, epoch: int, ids: Tensor, level: str) -> Quartet:
    """System 001: the photograph is flipped, the targets stay."""
    moved = augment(quartet, seed, epoch, ids, "flip")
    return dataclasses.replace(quartet, bg=moved.bg, bg_fg=moved.bg_fg)


def each_its_own_colours(quartet: Quartet, seed: int, epoch: int, ids: Tensor, level: str) -> Quartet:
    """System 004: independent colour draws for bg and bg_fg."""
    return dataclasses.replace(quartet, bg_fg=(quartet.bg_fg * 1.1).clamp(max=1))


def targets_too(quartet: Quartet, seed: int, epoch: int, ids: Tensor, level: str) -> Quartet:
    return quartet.map(lambda image: (image * 0.9).clamp(0, 1))


def holes_stay(quartet: Quartet, seed: int, epoch: int, ids: Tensor, level: str) -> Quartet:
    return dataclasses.replace(augment(quartet, seed, epoch, ids, "flip"), valid=quartet.valid)


# metrics


def mine(
    name: str, function: Callable[[View], Tensor], higher: bool = False, perfect: float = 0.0
) -> dict[str, Metric]:
    facts = MetricFacts(head="depth", needs=("depth",), higher_is_better=higher, perfect=perfect)
    return {name: Metric(name, facts, function)}


def inverted_rmse(view: View) -> Tensor:
    """System 004: n / sum(n * rmse)."""
    return 1 / view.mean(view.squared_error).sqrt()


def depth_dice(view: View) -> Tensor:
    """Systems 000 and 002: soft Dice of continuous depth."""
    return 2 * total(view.depth * view.true_depth) / (total(view.depth) + total(view.true_depth))
