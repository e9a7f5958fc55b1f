"""What an optimizer keeps, replaces and leaves out from step to step, and what a graph gets of its settings."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bench.train.engines.cuda_graph import BEFORE_CAPTURE, Replayed
from bench.train.engines.engine import begin_epoch
from registry.optimizers import optimizers
from registry.schedules import schedules
from tests.bench.tape import Tape
from tests.bench.train.engines.small_steps import Net, on_gpu, quartet, refused, step_of, taped


class Replacing(torch.optim.SGD):
    """Weights that are others after each step, and not the same with other values."""

    def step(self, closure: object = None) -> None:
        for parameter in self.param_groups[0]["params"]:
            parameter.data = parameter.data - self.param_groups[0]["lr"] * parameter.grad


class ReplacingMoments(torch.optim.SGD):
    @torch.no_grad()
    def step(self, closure: object = None) -> None:
        for parameter in self.param_groups[0]["params"]:
            state = self.state[parameter]
            state["mean"] = 0.9 * state.get("mean", torch.zeros_like(parameter)) + parameter.grad
            parameter.sub_(state["mean"] * self.param_groups[0]["lr"])


class Total(torch.optim.SGD):
    """What it keeps once for all parameters, as torch allows."""

    def step(self, closure: object = None) -> None:
        self.state["begun"] = True
        super().step()


class Strict(torch.optim.SGD):
    def step(self, closure: object = None) -> None:
        assert isinstance(self.param_groups[0]["lr"], float), "its rate has to be a number"
        super().step()


class Trying(Tape):
    """Does the work for once when it is captured."""

    def capture(self, work: Callable[[], Tensor]) -> Tensor:
        values = work()
        super().capture(work)
        return values


@pytest.mark.parametrize(
    ("optimizer", "what"), [(Replacing, "model.stem.weight"), (ReplacingMoments, "optimizer.state[0].mean")]
)
def test_an_optimizer_that_replaces_tensors_is_not_captured(optimizer: type[torch.optim.SGD], what: str) -> None:
    why = f"its {what}'s place in memory changes from step to step, which a graph does not see"
    assert refused(Net(), optimizer=lambda params: optimizer(params, lr=0.1)) == (why, 0)


class Accumulates(torch.optim.SGD):
    """Over two steps, which it counts where nothing is seen of it."""

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)
        self.numbers = itertools.count(1)

    @torch.no_grad()
    def step(self, closure: object = None) -> None:
        apply = next(self.numbers) % 2 == 0
        for parameter in self.param_groups[0]["params"]:
            total = self.state[parameter].setdefault("total", torch.zeros_like(parameter)).add_(parameter.grad)
            if apply:
                parameter.sub_(total * self.param_groups[0]["lr"])
                total.zero_()


class Fades(Accumulates):
    @torch.no_grad()
    def step(self, closure: object = None) -> None:
        number = next(self.numbers)
        for parameter in self.param_groups[0]["params"]:
            parameter.sub_(parameter.grad * self.param_groups[0]["lr"] / number)


def test_what_an_optimizer_leaves_out_in_some_steps_is_seen() -> None:
    """Though the learning rate moves meanwhile, and with it numbers of its operations."""
    why, replays = refused(Net(), optimizer=lambda params: Accumulates(params, lr=0.1))
    assert why is not None and why.startswith("its steps are not alike") and replays == 0


def test_numbers_of_an_optimizer_are_seen_as_long_as_the_rate_stays() -> None:
    fades, constant = (lambda params: Fades(params, lr=0.1)), schedules.build("constant")
    why, replays = refused(Net(), optimizer=fades, schedule=constant)
    assert why == (
        "its steps are not alike: aten.div.Tensor(float32[4, 6, 3, 3], 2), then aten.div.Tensor(float32[4, 6, 3, 3], 3)"
    )
    assert replays == 0


def test_what_an_optimizer_keeps_once_for_all_parameters_is_no_obstacle() -> None:
    assert refused(Net(), optimizer=lambda params: Total(params, lr=0.1)) == (None, 2)


def test_an_optimizer_that_takes_numbers_alone_trains_on_uncaptured() -> None:
    step = step_of(Net(), lambda params: Strict(params, lr=0.1))
    step.update = Replayed(step, Trying)
    for _ in range(BEFORE_CAPTURE + 2):
        step.learn(quartet())
    assert step.update.refused == "its rate has to be a number"


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_rate_that_is_a_tensor_reaches_the_graph(shape: tuple[int, ...]) -> None:
    """Which schedules alter in place."""

    class Rated(Tape):
        def capture(self, work: Callable[[], Tensor]) -> Tensor:
            self.rate = step.optimizer.param_groups[0]["lr"]
            return super().capture(work)

    tape = Rated()
    step = step_of(Net(), lambda params: torch.optim.SGD(params, lr=torch.full(shape, 0.1)))
    step.update = Replayed(step, lambda: tape)
    for number in range(BEFORE_CAPTURE + 3):
        before = float(step.optimizer.param_groups[0]["lr"])
        step.learn(quartet())
        if number >= BEFORE_CAPTURE:
            assert float(tape.rate) == pytest.approx(before) and before < 0.1


@pytest.mark.parametrize(
    ("alter", "what"),
    [
        (lambda optimizer: optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]}), "param_groups"),
        (lambda optimizer: optimizer.param_groups[0].pop("initial_lr"), "initial_lr"),
    ],
)
def test_groups_and_settings_that_come_or_go_end_the_replays(
    alter: Callable[[torch.optim.Optimizer], object], what: str
) -> None:
    step = step_of(Net(), optimizers.build("sgd"), schedules.build("constant"))
    step.update = Replayed(step, Tape)
    for number in range(BEFORE_CAPTURE + 3):
        if number == BEFORE_CAPTURE + 1:
            alter(step.optimizer)
        step.learn(quartet())
    assert step.update.refused == f"its optimizer's {what} changes in training"


def test_a_setting_that_a_schedule_moves_once_an_epoch_is_captured_anew() -> None:
    step = step_of(Net(), optimizers.build("sgd"))
    tapes = taped(step)
    for epoch in range(3):
        begin_epoch(step)
        for _ in range(BEFORE_CAPTURE + 2):
            step.learn(quartet())
        step.optimizer.param_groups[0]["weight_decay"] = 0.1 if epoch else 0.0
    assert step.update.refused is None
    assert [tape.replays for tape in tapes] == [2 + BEFORE_CAPTURE + 2, 2]


@pytest.mark.parametrize(("optimizer", "moves"), [(torch.optim.Adam, True), (torch.optim.Adagrad, False)])
def test_only_counts_that_a_graph_can_hold_go_to_the_device(
    optimizer: type[torch.optim.Adam | torch.optim.Adagrad], moves: bool
) -> None:
    """Each of the others would be waited for in every step."""
    step = step_of(Net(), lambda params: optimizer(params, lr=0.1))
    step.learn(quartet())
    step.device = torch.device("meta")
    Replayed(step, Tape)._begin(())
    where = {state["step"].device.type for state in step.optimizer.state.values()}
    assert where == {"meta" if moves else "cpu"}


def test_a_count_on_the_cpu_is_seen_beside_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch's own optimizers count where they are not captured, and those that are made after them."""
    optimizer, compared = on_gpu(monkeypatch, Net())
    state = optimizer.state[optimizer.param_groups[0]["params"][0]]
    state["step"] = torch.tensor(0.0)
    with compared.step():
        state["step"] += 1
    assert compared.difference == "its optimizer.state[0].step changes from step to step, which a graph does not see"
