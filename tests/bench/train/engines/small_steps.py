"""Steps of a small net on a CPU, and whether a stand-in graph captures them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from bench.data.augment.pipeline import Augmentation
from bench.train.engines.cuda_graph import BEFORE_CAPTURE, Replayed
from bench.train.engines.repetition import Repetition
from bench.train.step import Step
from registry.contract import Prediction, Quartet
from registry.losses import parse
from registry.losses.objective import Objective
from registry.optimizers import MakeOptimizer, optimizers
from registry.schedules import MakeSchedule, schedules
from tests.bench.tape import Tape

CPU = torch.device("cpu")
ADAM, COSINE = optimizers.build("adam"), schedules.build("cosine")


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


def quartet() -> Quartet:
    draw = torch.Generator().manual_seed(0)
    bg, bg_fg = (torch.rand(2, 3, 16, 16, generator=draw) for _ in range(2))
    mask, depth = (torch.rand(2, 1, 16, 16, generator=draw) for _ in range(2))
    return Quartet(bg, bg_fg, mask.round(), depth, torch.ones_like(mask))


def step_of(model: nn.Module, optimizer: MakeOptimizer = ADAM, schedule: MakeSchedule = COSINE) -> Step:
    made = optimizer(model.parameters())
    objective, autocast = Objective(parse("mask: bce, depth: l1")), torch.autocast("cpu", enabled=False)
    return Step(model, objective, made, schedule(made, 20), autocast, CPU, Augmentation("none", 0, 2))


def refused(
    model: nn.Module,
    compiled: bool = False,
    optimizer: MakeOptimizer = ADAM,
    schedule: MakeSchedule = COSINE,
) -> tuple[str | None, int]:
    """Why its step is not captured, and how often it was replayed in the steps after."""
    step, tape = step_of(model, optimizer, schedule), Tape()
    if compiled:
        step.run = lambda *inputs: model(*inputs)
    step.update = Replayed(step, lambda: tape)
    for _ in range(BEFORE_CAPTURE + 2):
        step.learn(quartet())
    return step.update.refused, tape.replays


def taped(step: Step) -> list[Tape]:
    """All graphs that will be recorded of it."""
    tapes: list[Tape] = []

    def record() -> Tape:
        tapes.append(Tape())
        return tapes[-1]

    step.update = Replayed(step, record)
    return tapes


def on_gpu(monkeypatch: pytest.MonkeyPatch, model: nn.Module) -> tuple[torch.optim.Optimizer, Repetition]:
    """Its optimizer, and what compares its steps as if on a GPU, beside which tensors on the CPU are numbers."""
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: torch.zeros(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return optimizer, Repetition(model, nn.Identity(), optimizer, torch.device("cuda"), compiled=True)
