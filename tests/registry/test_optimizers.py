"""Optimizers: they go downhill, at every legal parameter they make a step, and bad keys name the way out."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from registry.errors import BadParameter, UnknownName
from registry.optimizers import optimizers
from registry.schedules import schedules
from tests.registry.keys_of import keys, without_range


@pytest.mark.parametrize("key", ["adam[lr=0.1]", "sgd[lr=0.1,momentum=0.5]", "rmsprop[lr=0.1]"])
def test_optimizers_go_downhill(key: str) -> None:
    weight = nn.Parameter(torch.tensor([3.0]))
    optimizer = optimizers.build(key)([weight])
    for _ in range(200):
        optimizer.zero_grad()
        (weight**2).sum().backward()
        optimizer.step()
    assert abs(weight.item()) < 0.2


@pytest.mark.parametrize("name", optimizers.names())
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_legal_optimizer_makes_a_finite_step(name: str, data: st.DataObject) -> None:
    key = data.draw(keys(optimizers.get(name)))
    weight = nn.Parameter(torch.tensor([3.0]))
    optimizer = optimizers.build(key)([weight])
    for _ in range(2):
        optimizer.zero_grad()
        weight.sum().backward()
        optimizer.step()
    assert weight.isfinite().all(), key
    assert optimizers.canonical(optimizers.canonical(key)) == optimizers.canonical(key)


@pytest.mark.parametrize(
    ("key", "reference"),
    [
        ("adam[lr=0.1]", lambda params: torch.optim.Adam(params, lr=0.1, fused=False, foreach=False)),
        ("sgd[lr=0.1]", lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9, fused=False, foreach=False)),
        (
            "rmsprop[lr=0.1,momentum=0.9]",
            lambda params: torch.optim.RMSprop(params, lr=0.1, momentum=0.9, foreach=False),
        ),
    ],
)
def test_a_first_gradient_may_come_late(key: str, reference: Callable[..., torch.optim.Optimizer]) -> None:
    """As that of a branch which a model leaves out by chance."""

    def trained(make: Callable[..., torch.optim.Optimizer]) -> list[float]:
        weights = [nn.Parameter(torch.tensor([3.0, -1.0])) for _ in range(2)]
        optimizer = make(weights)
        for step in range(6):
            loss = (weights[0] ** 2).sum() + ((weights[1] ** 4).sum() if step in (2, 3, 5) else 0)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return torch.cat(weights).tolist()

    assert trained(optimizers.build(key)) == pytest.approx(trained(reference), rel=1e-5)


def test_a_state_without_moments_of_late_parameters_is_gone_on_from() -> None:
    """As torch alone keeps it before a parameter's first gradient."""
    weights = [nn.Parameter(torch.tensor([3.0])) for _ in range(2)]
    older = torch.optim.SGD(weights, lr=0.01, momentum=0.9, fused=True)
    weights[0].sum().backward()
    older.step()
    optimizer = optimizers.build("sgd")(weights)
    optimizer.load_state_dict(older.state_dict())
    moments = [optimizer.state[weight]["momentum_buffer"].item() for weight in weights]
    assert moments == [1.0, 0.0]
    sum(weights).backward()
    optimizer.step()


def test_every_number_has_a_range() -> None:
    assert without_range(optimizers) == without_range(schedules) == []


def test_bad_keys_name_the_way_out() -> None:
    with pytest.raises(UnknownName, match="adam"):
        optimizers.resolve("adamm")
    with pytest.raises(BadParameter, match="momentum"):
        optimizers.resolve("sgd[momentun=0.9]")
