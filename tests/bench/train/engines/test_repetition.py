"""What decides in Python from step to step is not captured, as a graph would do for ever what one step did."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.audit.conformance.model_plugin import images
from bench.data.augment.pipeline import Augmentation
from bench.train.engines.cuda_graph import BEFORE_CAPTURE, Replayed
from bench.train.engines.repetition import Repetition
from bench.train.step import Step
from registry.contract import Prediction, Quartet
from registry.errors import RegistryError
from registry.losses import parse
from registry.losses.objective import Objective
from registry.losses.terms import terms
from registry.models import models
from registry.optimizers import optimizers
from registry.schedules import schedules
from tests.bench.tape import Tape

CPU = torch.device("cpu")


class Net(nn.Module):
    """A small net whose features a subclass alters, by Python's own means or by torch's."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.heads = nn.Conv2d(6, 4, 3, padding=1), nn.Conv2d(4, 2, 1)
        self.sizes, self.last = (8, 16), None

    def alter(self, x: Tensor) -> Tensor:
        return x

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        logits = self.heads(self.alter(torch.relu(self.stem(torch.cat([bg, bg_fg], 1)))))
        return Prediction(*logits.split(1, dim=1))


class Torchs(Net):
    """What a graph repeats as it should: chance of torch's own, statistics, an attribute that is a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop = nn.BatchNorm2d(4), nn.Dropout(0.5)

    def alter(self, x: Tensor) -> Tensor:
        self.last = self.drop(self.norm(x))
        return self.last * 0.5


class Scales(Net):
    def alter(self, x: Tensor) -> Tensor:
        size = random.choice(self.sizes)
        return functional.interpolate(functional.interpolate(x, (size, size)), x.shape[-2:])


class Drops(Net):
    def alter(self, x: Tensor) -> Tensor:
        return x if np.random.random() < 0.5 else x * 2


class OwnGenerator(Net):
    def __init__(self, generator: object) -> None:
        super().__init__()
        self.stem.generator = generator  # type: ignore[assignment]

    def alter(self, x: Tensor) -> Tensor:
        return x if self.stem.generator.random() < 0.5 else x * 2


class Counts(Net):
    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def alter(self, x: Tensor) -> Tensor:
        self.steps += 1
        return x * 2 if self.steps > 1000 else x


class Ramps(Net):
    """Of which nothing but its operations tells."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = itertools.count(1)

    def alter(self, x: Tensor) -> Tensor:
        return x * (next(self.weights) / 1000)


class Alternates(Ramps):
    def alter(self, x: Tensor) -> Tensor:
        return x if next(self.weights) % 2 else x.tanh()


class Grows(Ramps):
    def alter(self, x: Tensor) -> Tensor:
        size = x.shape[-1] + next(self.weights)
        return functional.interpolate(x, (size, size))[..., : x.shape[-2], : x.shape[-1]]


def quartet() -> Quartet:
    draw = torch.Generator().manual_seed(0)
    bg, bg_fg = (torch.rand(2, 3, 16, 16, generator=draw) for _ in range(2))
    mask, depth = (torch.rand(2, 1, 16, 16, generator=draw) for _ in range(2))
    return Quartet(bg, bg_fg, mask.round(), depth, torch.ones_like(mask))


def refused(model: nn.Module, compiled: bool = False, schedule: str = "cosine") -> tuple[str | None, int]:
    """Why its step is not captured, and how often it was replayed in the steps after."""
    optimizer = optimizers.build("adam")(model.parameters())
    objective, autocast = Objective(parse("mask: bce, depth: l1")), torch.autocast("cpu", enabled=False)
    scheduled = schedules.build(schedule)(optimizer, 20)
    step, tape = Step(model, objective, optimizer, scheduled, autocast, CPU, Augmentation("none", 0, 2)), Tape()
    if compiled:
        step.run = lambda *inputs: model(*inputs)
    step.update = Replayed(step, lambda: tape)
    for _ in range(BEFORE_CAPTURE + 2):
        step.learn(quartet())
    return step.update.refused, tape.replays


@pytest.mark.parametrize("model", [Net(), Torchs(), models.build("unet[width=4]")], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("compiled", [False, True])
def test_steps_that_are_alike_are_captured(model: nn.Module, compiled: bool) -> None:
    """Though the learning rate moves from step to step."""
    assert refused(model, compiled) == (None, 2)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Scales(), "it draws from random, which a graph does once"),
        (Drops(), "it draws from numpy, which a graph does once"),
        (OwnGenerator(random.Random(0)), "its model.stem.generator changes from step to step"),
        (OwnGenerator(np.random.default_rng(0)), "its model.stem.generator changes from step to step"),
        (Counts(), "its model.steps changes from step to step, which a graph does not see"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
@pytest.mark.parametrize("compiled", [False, True])
def test_what_python_decides_is_not_captured(model: nn.Module, why: str, compiled: bool) -> None:
    found, replays = refused(model, compiled)
    assert found is not None and found.startswith(why)
    assert replays == 0


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Ramps(), r"its steps are not alike: aten.mul.Tensor\(float32\[2, 4, 16, 16\], 0.002\), then .* 0.003\)"),
        (Alternates(), r"its steps are not alike: aten.tanh.*, then aten.convolution"),
        (Grows(), r"its steps are not alike: aten.upsample_nearest2d.*\[18, 18\].*, then .*\[19, 19\]"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_operations_tell_what_nothing_else_does(model: nn.Module, why: str) -> None:
    found, replays = refused(model)
    assert found is not None and re.match(why, found), found
    assert replays == 0


def test_a_draw_from_torchs_generator_of_the_cpu_is_found_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: torch.zeros(1))
    compared = Repetition(nn.Identity(), nn.Identity(), torch.device("cuda"), compiled=False)
    with compared.step():
        torch.rand(1)
    assert compared.difference == "it draws from torch's generator of the CPU, which a graph does once"


def departs(compared: Repetition, work: Callable[[], object]) -> str | None:
    for _ in range(2):
        with compared.step():
            work()
    return compared.difference


@pytest.mark.parametrize("key", [key for key in models.names() if "fitted" not in models.resolve(key)[0].facts])
def test_every_model_that_trains_does_the_same_each_time(key: str) -> None:
    model, shown = models.build(key).train(), images(2, 64, 64)
    assert departs(Repetition(model, nn.Identity(), CPU, compiled=False), lambda: model(*shown)) is None


@pytest.mark.parametrize("key", terms.names())
def test_every_term_does_the_same_each_time(key: str) -> None:
    logits, tried = torch.zeros(2, 1, 16, 16).requires_grad_(), 0
    for head in ("mask", "depth"):
        with suppress(RegistryError):  # a term may be of the other head alone
            objective, tried = Objective(parse(f"{head}: {key}")), tried + 1
            compared = Repetition(nn.Identity(), objective, CPU, compiled=False)
            assert departs(compared, lambda of=objective: of(Prediction(logits, logits), quartet())) is None
    assert tried
