"""A user's plug-ins that raise, or return what is no answer."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor, nn

from bench.data.source import Source
from registry.contract import Head, Prediction, Target

NUMBER = 3
LIST = [3]
MODULE = os


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 3, padding=1)

    def logits(self, bg: Tensor, bg_fg: Tensor) -> Tensor:
        return self.conv(torch.cat([bg, bg_fg], 1))


class ReturnsTensors(Net):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Any:
        return self.logits(bg, bg_fg).split(1, 1)


class TwoChannels(Net):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(self.logits(bg, bg_fg))


class Raises(Net):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        raise KeyError("no such layer")


class ChangesFolder(Net):
    """Every file that is written later by a relative path would lie elsewhere."""

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        os.chdir("/")
        return Prediction(*self.logits(bg, bg_fg).split(1, 1))


class Parametrised(Net):
    """Sound: a weight norm must not disturb anything that looks at layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(self.conv)

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(*self.logits(bg, bg_fg).split(1, 1))


class Unbuilt(Net):
    def __init__(self) -> None:
        raise MemoryError("too big")


class Abstract(Source):
    pass


instance = Net()


def nothing() -> Any:
    return None


def mapping() -> Any:
    return {}


def makes_nothing() -> Any:
    return lambda *given: None


def changes_folder(prediction: Head, target: Target) -> Tensor:
    os.chdir("/")
    return (prediction.value - target.value).abs().mean()


def per_image(prediction: Head, target: Target) -> Tensor:
    return (prediction.value - target.value).square().flatten(1).mean(1)


def number(prediction: Head, target: Target) -> Any:
    return 0.5


def raises(prediction: Head, target: Target) -> Tensor:
    raise KeyError("no such target")
