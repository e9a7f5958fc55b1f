"""What decides in Python from step to step is not captured, as a graph would do for ever what one step did."""

from __future__ import annotations

import itertools
import random
import re
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.audit.conformance.model_plugin import images
from bench.train.engines.cuda_graph import BEFORE_CAPTURE, Replayed
from bench.train.engines.engine import begin_epoch
from bench.train.engines.repetition import Repetition
from registry.contract import Prediction
from registry.errors import RegistryError
from registry.losses import parse
from registry.losses.objective import Objective
from registry.losses.terms import terms
from registry.models import models
from registry.optimizers import optimizers
from registry.schedules import Schedule, schedules
from tests.bench.tape import Tape
from tests.bench.train.engines.small_steps import CPU, Net, quartet, refused, step_of


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


class Backward(Ramps):
    """Decides when gradients come back."""

    def alter(self, x: Tensor) -> Tensor:
        if x.requires_grad:
            x.register_hook(lambda gradient: gradient * (1 / next(self.weights)))
        return x


class TakesTurns(Ramps):
    def __init__(self) -> None:
        super().__init__()
        self.equals = nn.ModuleList(nn.Conv2d(4, 4, 1) for _ in range(3))

    def alter(self, x: Tensor) -> Tensor:
        return self.equals[next(self.weights) % 3](x)


class Remembers(Net):
    def __init__(self) -> None:
        super().__init__()
        self.last = deque([0], maxlen=2)

    def alter(self, x: Tensor) -> Tensor:
        self.last.append(self.last[-1] + 1)
        return x


class NumpyCounts(Net):
    def __init__(self) -> None:
        super().__init__()
        self.seen = np.int64(0)

    def alter(self, x: Tensor) -> Tensor:
        self.seen = self.seen + 1
        return x


class Holds(Net):
    """What cannot be written down is passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.endless: dict[str, object] = {}
        self.endless["itself"] = self.endless


class Compiles(Net):
    """A part of it; in the steps that are looked at as in all others."""

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.calls = itertools.count()

        def backend(module: Callable[..., object], _inputs: object) -> Callable[..., object]:
            def run(*inputs: Tensor) -> object:
                next(self.calls)
                return module(*inputs)

            return run

        self.part = torch.compile(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()), backend=backend, fullgraph=whole)

    def alter(self, x: Tensor) -> Tensor:
        return self.part(x)


class Conditional(Net):
    """An operation of a higher order, as flex_attention is one."""

    def alter(self, x: Tensor) -> Tensor:
        return torch.cond(x.sum() > 0, lambda y: y.tanh(), lambda y: y.sin(), (x,))


class Nests(Net):
    """Tensors that have no shape."""

    def alter(self, x: Tensor) -> Tensor:
        rows = torch.nested.nested_tensor(list(x.flatten(2)))
        return torch.nested.to_padded_tensor(rows * 2, 0.0).view_as(x)


class Grows(Ramps):
    def alter(self, x: Tensor) -> Tensor:
        size = x.shape[-1] + next(self.weights)
        return functional.interpolate(x, (size, size))[..., : x.shape[-2], : x.shape[-1]]


@pytest.mark.parametrize(
    "model",
    [Net(), Torchs(), Holds(), models.build("unet[width=4]")],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("compiled", [False, True])
def test_steps_that_are_alike_are_captured(model: nn.Module, compiled: bool) -> None:
    """Though the learning rate moves from step to step."""
    assert refused(model, compiled) == (None, 2)


@pytest.mark.parametrize("whole", [False, True])
def test_a_part_that_is_compiled_runs_so_when_it_is_looked_at(whole: bool) -> None:
    model = Compiles(whole)
    assert refused(model) == (None, 2)
    assert next(model.calls) == BEFORE_CAPTURE + 2


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("model", [Conditional(), Nests()], ids=lambda model: type(model).__name__)
def test_operations_of_any_kind_may_be_looked_at(model: nn.Module) -> None:
    why, _ = refused(model)
    assert why is None


class Curriculum(Net):
    """Harder from epoch to epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.hardness = 1

    def alter(self, x: Tensor) -> Tensor:
        return x * self.hardness


def test_what_changes_once_an_epoch_is_captured_anew() -> None:
    model, tapes = Curriculum(), list[Tape]()

    def record() -> Tape:
        tapes.append(Tape())
        return tapes[-1]

    step = step_of(model)
    step.update = Replayed(step, record)
    for epoch in range(3):
        begin_epoch(step)
        for _ in range(BEFORE_CAPTURE + 2):
            step.learn(quartet())
        model.hardness += epoch  # not after the first
    assert [tape.replays for tape in tapes] == [2 + BEFORE_CAPTURE + 2, 2]
    assert step.update.refused is None


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Scales(), "it draws from random, which a graph does once"),
        (Drops(), "it draws from numpy, which a graph does once"),
        (OwnGenerator(random.Random(0)), "its model.stem.generator changes from step to step"),
        (OwnGenerator(np.random.default_rng(0)), "its model.stem.generator changes from step to step"),
        (Counts(), "its model.steps changes from step to step, which a graph does not see"),
        (Remembers(), "its model.last changes from step to step"),
        (NumpyCounts(), "its model.seen changes from step to step"),
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
        (Backward(), r"its steps are not alike: aten.mul.Tensor\(float32\[2, 4, 16, 16\], 0.5\), then .*, 0.333"),
        (TakesTurns(), r"its steps are not alike: .*model.equals.2.weight float32.*, then .*model.equals.0.weight"),
        (Grows(), r"its steps are not alike: aten.upsample_nearest2d.*\[18, 18\].*, then .*\[19, 19\]"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_operations_tell_what_nothing_else_does(model: nn.Module, why: str) -> None:
    found, replays = refused(model)
    assert found is not None and re.match(why, found), found
    assert replays == 0


class Counting(torch.optim.SGD):
    """As an optimizer may that corrects a bias by its number of steps."""

    def step(self, closure: object = None) -> None:
        for parameter in self.param_groups[0]["params"]:
            self.state[parameter]["steps"] = self.state[parameter].get("steps", 0) + 1
        super().step()


def cycling(optimizer: torch.optim.Optimizer, steps: int) -> Schedule:
    return Schedule(torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=steps), "step")


def test_what_an_optimizer_counts_is_not_captured() -> None:
    assert refused(Net(), optimizer=lambda params: Counting(params, lr=0.1)) == (
        "its optimizer.state[0].steps changes from step to step, which a graph does not see",
        0,
    )


class CountingInGroups(torch.optim.SGD):
    def step(self, closure: object = None) -> None:
        self.param_groups[0]["k"] = self.param_groups[0].get("k", 0) + 1
        super().step()


class CountingItself(torch.optim.SGD):
    def step(self, closure: object = None) -> None:
        self.k = getattr(self, "k", 0) + 1
        super().step()


@pytest.mark.parametrize(
    ("optimizer", "what"), [(CountingInGroups, "optimizer.param_groups[0].k"), (CountingItself, "optimizer.k")]
)
def test_wherever_it_counts(optimizer: type[torch.optim.SGD], what: str) -> None:
    made: list[torch.optim.SGD] = []

    def make(params: Iterable[nn.Parameter]) -> torch.optim.SGD:
        made.append(optimizer(params, lr=0.1))
        return made[0]

    found, replays = refused(Net(), optimizer=make)
    assert found is not None and found.startswith(f"its {what} changes from step to step") and replays == 0
    steps = made[0].k if what == "optimizer.k" else made[0].param_groups[0]["k"]
    assert steps == BEFORE_CAPTURE + 2, "no step was counted for a capture"


@pytest.mark.parametrize(("optimizer", "what"), [("adam", "betas"), ("sgd", "momentum")])
def test_a_schedule_that_moves_more_than_the_rate_is_not_captured(optimizer: str, what: str) -> None:
    """A graph would go on with the momentum of the step that it was captured in."""
    found = refused(Net(), optimizer=optimizers.build(optimizer), schedule=cycling)
    assert found == (f"its optimizer's {what} changes in training", 1)  # replayed in that step alone


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "sgd[momentum=0]"])  # torch captures rmsprop on GPUs alone
@pytest.mark.parametrize("schedule", schedules.names())
def test_every_optimizer_and_schedule_is_captured(optimizer: str, schedule: str) -> None:
    found = refused(Net(), optimizer=optimizers.build(optimizer), schedule=schedules.build(schedule))
    assert found == (None, 2)


def test_a_draw_from_torchs_generator_of_the_cpu_is_found_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: torch.zeros(1))
    compared = compare(nn.Identity(), nn.Identity(), torch.device("cuda"))
    with compared.step():
        torch.rand(1)
    assert compared.difference == "it draws from torch's generator of the CPU, which a graph does once"


def compare(model: nn.Module, objective: nn.Module, device: torch.device = CPU) -> Repetition:
    parameter = nn.Parameter(torch.zeros(1))
    return Repetition(model, objective, optimizers.build("adam")([parameter]), device, compiled=False)


def departs(compared: Repetition, work: Callable[[], object]) -> str | None:
    for _ in range(2):
        with compared.step():
            work()
    return compared.difference


@pytest.mark.parametrize("key", [key for key in models.names() if "fitted" not in models.resolve(key)[0].facts])
def test_every_model_that_trains_does_the_same_each_time(key: str) -> None:
    model, shown = models.build(key).train(), images(2, 64, 64)
    assert departs(compare(model, nn.Identity()), lambda: model(*shown)) is None


@pytest.mark.parametrize("key", terms.names())
def test_every_term_does_the_same_each_time(key: str) -> None:
    logits, tried = torch.zeros(2, 1, 16, 16).requires_grad_(), 0
    for head in ("mask", "depth"):
        with suppress(RegistryError):  # a term may be of the other head alone
            objective, tried = Objective(parse(f"{head}: {key}")), tried + 1
            compared = compare(nn.Identity(), objective)
            assert departs(compared, lambda of=objective: of(Prediction(logits, logits), quartet())) is None
    assert tried
