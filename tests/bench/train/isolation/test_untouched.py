"""`untouched`: a model that is called on the side is afterwards as it was, whatever the call did."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bench.train.isolation.untouched import untouched

CPU = torch.device("cpu")


class Changing(nn.Module):
    """A model whose call leaves traces of every kind."""

    total: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer("total", torch.zeros(2))
        self.calls, self.log, self.by_name, self.kept = 0, list[int](), {"last": 0}, set[int]()
        self.features: Tensor | None = None

    def forward(self, values: Tensor) -> Tensor:
        self.calls += 1
        self.log.append(self.calls)
        self.by_name["last"] = self.calls
        self.kept.add(self.calls)
        self.total += values.detach().sum(0)
        self.features = self.norm(values)
        return self.features + torch.rand(2)


def traces(model: Changing) -> dict[str, object]:
    return {
        "attributes": (model.calls, [*model.log], dict(model.by_name), set(model.kept), model.features),
        "buffers": {name: value.tolist() for name, value in model.named_buffers()},
        "mode": [module.training for module in model.modules()],
        "modules": [*dict(model.named_modules())],
        "random": torch.get_rng_state().numpy().tobytes().hex(),  # a list of 5,056 numbers takes minutes to tell apart
    }


MORE: dict[str, Callable[[Changing], object]] = {
    "a call": lambda model: model(torch.randn(4, 2)),
    "two calls": lambda model: [model(torch.randn(4, 2)) for _ in range(2)],
    "a call in evaluation": lambda model: model.eval()(torch.randn(4, 2)),
    "a module that is added": lambda model: model.add_module("extra", nn.Linear(1, 1)),
    "a buffer that is added": lambda model: model.register_buffer("extra", torch.zeros(1)),
    "a parameter that is added": lambda model: model.register_parameter("extra", nn.Parameter(torch.zeros(1))),
    "an attribute that is added": lambda model: setattr(model, "extra", 1),
    "an attribute that is deleted": lambda model: delattr(model, "calls"),
    "an attribute of a part": lambda model: setattr(model.norm, "momentum", 0.9),
}


@pytest.mark.parametrize("what", MORE)
def test_the_model_is_afterwards_as_it_was(what: str) -> None:
    model = Changing()
    model(torch.randn(4, 2))  # so that there is something to keep
    before, names, momentum = traces(model), set(vars(model)), model.norm.momentum
    parameters = [id(parameter) for parameter in model.parameters()]
    with untouched(model, CPU):
        MORE[what](model)
    assert traces(model) == before
    assert set(vars(model)) == names and model.norm.momentum == momentum
    assert [id(parameter) for parameter in model.parameters()] == parameters, "an optimizer holds these"
    assert not hasattr(model, "extra")


def test_it_is_so_after_an_error_too() -> None:
    model = Changing()
    before = traces(model)
    with pytest.raises(ValueError, match="within"), untouched(model, CPU):
        model.eval()(torch.randn(4, 2))
        raise ValueError("within")
    assert traces(model) == before


def test_buffers_stay_the_same_tensors() -> None:
    """A captured graph, and an optimizer's closure, hold the tensors themselves."""
    model = Changing()
    before = {name: buffer.data_ptr() for name, buffer in model.named_buffers()}
    with untouched(model, CPU):
        model.total = torch.ones(2)
        model(torch.randn(4, 2))
    assert {name: buffer.data_ptr() for name, buffer in model.named_buffers()} == before
    assert model.total.tolist() == [0, 0]


def test_gradients_are_the_callers() -> None:
    model = Changing()
    with untouched(model, CPU):
        model(torch.randn(4, 2)).sum().backward()
    assert model.norm.weight.grad is not None


def test_a_model_of_weight_norm_can_be_called_again() -> None:
    model = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    values = torch.randn(3, 2)
    expected = model(values)
    with untouched(model, CPU), torch.no_grad():
        model(values * 2)
    assert torch.equal(model(values), expected)
    model(values).sum().backward()
