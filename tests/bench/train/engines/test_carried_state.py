"""What a step leaves to the next is not captured where a graph would not hand it on."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from bench.train.engines.cuda_graph import BEFORE_CAPTURE, Replayed
from bench.train.engines.engine import begin_epoch
from tests.bench.tape import Tape
from tests.bench.train.engines.small_steps import CPU, Net, on_gpu, quartet, refused, step_of, taped


class Averages(Net):
    """A running mean, another tensor after each step, which a graph would read where it was."""

    def __init__(self, registered: bool) -> None:
        super().__init__()
        if registered:
            self.register_buffer("mean", torch.ones(4))
        else:
            self.mean = torch.ones(4)

    def alter(self, x: Tensor) -> Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean((0, 2, 3))
        return x / (1 + self.mean.abs().view(1, 4, 1, 1))


class AveragesInPlace(Averages):
    def alter(self, x: Tensor) -> Tensor:
        self.mean.mul_(0.9).add_(x.detach().mean((0, 2, 3)), alpha=0.1)
        return x / (1 + self.mean.abs().view(1, 4, 1, 1))


class Recomputes(Net):
    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.reentrant, self.part = reentrant, nn.Sequential(nn.Conv2d(4, 4, 1), nn.Dropout(0.3), nn.ReLU())

    def alter(self, x: Tensor) -> Tensor:
        return checkpoint(self.part, x, use_reentrant=self.reentrant)


class KeepsGrid(Net):
    """Made once and read ever after."""

    def alter(self, x: Tensor) -> Tensor:
        if self.last is None:
            self.last = torch.linspace(0, 1, x.shape[-1])
        return x + self.last


class Chance(Net):
    """Of a generator of its own, so rarely that two steps look alike."""

    def __init__(self, generator: object, draw: Callable[[object], float]) -> None:
        super().__init__()
        self.generator, self.draw = generator, draw

    def alter(self, x: Tensor) -> Tensor:
        return x * 2 if self.draw(self.generator) > 0.999 else x


class InContainer(Net):
    """A number beside what cannot be written down."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = {"kind": nn.ReLU, "steps": 0}

    def alter(self, x: Tensor) -> Tensor:
        self.facts["steps"] += 1
        return x


def test_a_tensor_in_whose_place_each_step_puts_another_is_not_captured() -> None:
    why, replays = refused(Averages(registered=False))
    assert why == "it goes on from what the step before has made (aten.mul.Tensor), which a graph does not see"
    assert replays == 0


@pytest.mark.parametrize("compiled", [False, True])
def test_nor_is_a_buffer(compiled: bool) -> None:
    why = "its model.mean's place in memory changes from step to step, which a graph does not see"
    assert refused(Averages(registered=True), compiled) == (why, 0)


def test_a_loss_that_remembers_the_last_is_not_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which no module holds."""
    step, tape, last = step_of(Net()), Tape(), [torch.ones(())]

    def balanced(losses: Tensor) -> Tensor:
        last[0] = 0.9 * last[0] + 0.1 * losses.detach().sum()
        return losses.sum() / last[0]

    monkeypatch.setattr(step.objective.weighting, "forward", balanced)
    step.update = Replayed(step, lambda: tape)
    for _ in range(BEFORE_CAPTURE + 1):
        step.learn(quartet())
    assert str(step.update.refused).startswith("it goes on from what the step before has made")
    assert tape.replays == 0


@pytest.mark.parametrize(
    "model",
    [AveragesInPlace(False), AveragesInPlace(True), KeepsGrid(), Recomputes(False), Recomputes(True)],
    ids=lambda model: type(model).__name__,
)
def test_what_a_graph_hands_on_is_captured(model: nn.Module) -> None:
    assert refused(model) == (None, 2)


@pytest.mark.parametrize(
    "model",
    [
        Chance(torch.Generator().manual_seed(0), lambda drawn: torch.rand(1, generator=drawn).item()),
        Chance(np.random.RandomState(0), lambda drawn: drawn.rand()),
    ],
)
@pytest.mark.parametrize("compiled", [False, True])
def test_generators_of_any_kind_are_seen(model: nn.Module, compiled: bool) -> None:
    assert refused(model, compiled) == ("its model.generator changes from step to step, which a graph does not see", 0)


def test_numbers_beside_other_things_are_seen() -> None:
    why, replays = refused(InContainer())
    assert why == "its model.facts changes from step to step, which a graph does not see" and replays == 0


@pytest.mark.parametrize("compiled", [False, True])
def test_losses_are_looked_at_where_the_model_is_compiled(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    step, tape, numbers = step_of(Net()), Tape(), itertools.count(1)
    monkeypatch.setattr(step.objective.weighting, "forward", lambda losses: losses.sum() * (next(numbers) / 1000))
    if compiled:
        step.run = lambda *inputs: step.model(*inputs)
    step.update = Replayed(step, lambda: tape)
    for _ in range(BEFORE_CAPTURE + 1):
        step.learn(quartet())
    assert (
        step.update.refused
        == "its steps are not alike: aten.mul.Tensor(float32[], 0.002), then aten.mul.Tensor(float32[], 0.003)"
    )
    assert tape.replays == 0


class Rated(Net):
    """Whose layers decide by numbers of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.rate, self.rates, self.weights = torch.tensor(0.1), [torch.tensor([0.1, 0.2])], np.ones(3)
        self.act, self.hook = nn.Sigmoid(), self.stem.register_forward_hook(lambda module, inputs, output: None)

    def alter(self, x: Tensor) -> Tensor:
        return functional.dropout(x, float(self.rate))


def replace_rate(model: Rated) -> None:
    model.rate = torch.tensor(0.2)


@pytest.mark.parametrize(
    "alter",
    [
        replace_rate,
        lambda model: model.rates[0].mul_(2),
        lambda model: np.multiply(model.weights, 2, out=model.weights),
        lambda model: model.stem.train(False),
        lambda model: setattr(model, "act", nn.Tanh()),
        lambda model: model.hook.remove(),
        lambda model: model.stem.requires_grad_(False),
        lambda model: setattr(model.stem.weight, "data", torch.zeros_like(model.stem.weight)),
    ],
)
def test_modules_tell_what_changes_between_epochs(
    monkeypatch: pytest.MonkeyPatch, alter: Callable[[Rated], object]
) -> None:
    model = Rated()
    _, compared = on_gpu(monkeypatch, model)
    before = compared.texts(), compared.places()
    assert (compared.texts(), compared.places()) == before
    alter(model)
    assert (compared.texts(), compared.places()) != before


class NotesSize(Net):
    """Whenever it is called, in validation too."""

    def alter(self, x: Tensor) -> Tensor:
        self.size = x.shape[-1]
        return x


def test_what_is_written_down_anew_in_each_pass_is_captured_anew_once() -> None:
    model = NotesSize()
    step = step_of(model)
    tapes = taped(step)
    for _ in range(4):
        begin_epoch(step)
        for _ in range(BEFORE_CAPTURE + 2):
            step.learn(quartet())
        model.size = 64  # by a validation of larger images
    assert len(tapes) == 2


class KeepsGrids(Net):
    """By size, the last alone."""

    def __init__(self) -> None:
        super().__init__()
        self.grids: dict[int, Tensor] = {}

    def alter(self, x: Tensor) -> Tensor:
        if x.shape[-1] not in self.grids:
            self.grids = {x.shape[-1]: torch.linspace(0, 1, x.shape[-1])}
        return x + self.grids[x.shape[-1]]


def test_a_tensor_that_is_replaced_in_a_container_is_captured_anew() -> None:
    model = KeepsGrids()
    step = step_of(model)
    tapes = taped(step)
    for _ in range(3):
        begin_epoch(step)
        for _ in range(BEFORE_CAPTURE + 2):
            step.learn(quartet())
        model.alter(torch.zeros(1, 4, 64, 64))  # as a validation of larger images does
    assert len(tapes) == 3


@pytest.mark.parametrize(("registered", "replaced"), [(True, True), (False, True), (False, False)])
def test_a_tensor_that_is_replaced_between_epochs_is_captured_anew(registered: bool, replaced: bool) -> None:
    """The graph would read on where it was."""
    model = AveragesInPlace(registered)
    model.last = torch.zeros(4)
    step = step_of(model)
    tapes = taped(step)
    for _ in range(3):
        begin_epoch(step)
        for _ in range(BEFORE_CAPTURE + 2):
            step.learn(quartet())
        if replaced:
            model.mean = model.mean.clone()
        model.last = torch.ones(4)  # which no step reads
    assert len(tapes) == (3 if replaced else 1)
    assert step.update.refused is None and model.mean.device == CPU
