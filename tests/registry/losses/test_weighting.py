"""How heads are weighed: by hand for each scheme, and what they keep in a checkpoint."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.losses.recipe import WEIGHTINGS
from registry.losses.weighting import SCHEMES, DynamicAverage, Fixed, Uncertainty

LOSSES = st.lists(st.floats(1e-3, 10), min_size=1, max_size=4)


def test_every_weighting_of_the_grammar_has_its_scheme() -> None:
    assert tuple(SCHEMES) == WEIGHTINGS


@pytest.mark.parametrize("name", WEIGHTINGS)
@settings(max_examples=20)
@given(losses=LOSSES)
def test_all_begin_as_the_plain_sum_with_its_gradient(name: str, losses: list[float]) -> None:
    values = torch.tensor(losses, requires_grad=True)
    total = SCHEMES[name](len(losses))(values)
    total.backward()
    assert total.item() == pytest.approx(sum(losses), rel=1e-6)
    torch.testing.assert_close(values.grad, torch.ones(len(losses)))


@pytest.mark.parametrize(
    ("name", "parameters", "buffers"),
    [("fixed", [], []), ("uncertainty", ["log_variance"], []), ("dwa", [], ["weights", "last"])],
)
def test_what_is_trained_and_what_is_remembered(name: str, parameters: list[str], buffers: list[str]) -> None:
    scheme = SCHEMES[name](2)
    assert [key for key, _ in scheme.named_parameters()] == parameters
    assert [key for key, _ in scheme.named_buffers()] == buffers
    assert set(scheme.state_dict()) == {*parameters, *buffers}


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(1e-3, 10), st.floats(-3, 3)), min_size=1, max_size=4))
def test_uncertainty_is_its_formula(pairs: list[tuple[float, float]]) -> None:
    scheme = Uncertainty(len(pairs))
    with torch.no_grad():
        scheme.log_variance.copy_(torch.tensor([s for _, s in pairs]))
    total = scheme(torch.tensor([loss for loss, _ in pairs]))
    assert total.item() == pytest.approx(sum(math.exp(-s) * loss + s for loss, s in pairs), rel=1e-5, abs=1e-5)


def test_uncertainty_settles_where_the_variance_is_the_loss() -> None:
    """d/ds (exp(-s) L + s) = 0 at s = ln L."""
    scheme, losses = Uncertainty(2), torch.tensor([0.2, 3.0])
    for _ in range(200):
        (slope,) = torch.autograd.grad(scheme(losses), scheme.log_variance)
        scheme.log_variance.data -= 0.2 * slope
    torch.testing.assert_close(scheme.log_variance.data, losses.log(), rtol=1e-3, atol=1e-3)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.1, 10)), min_size=1, max_size=4),
)
def test_dynamic_averages_follow_the_last_two_epochs(heads: list[tuple[float, float, float]]) -> None:
    scheme = DynamicAverage(len(heads))
    epochs = [torch.tensor([head[epoch] for head in heads]) for epoch in range(3)]
    scheme.epoch_end(epochs[0])
    assert scheme.weights.tolist() == [1.0] * len(heads), "two epochs are needed"
    for before, last in ((epochs[0], epochs[1]), (epochs[1], epochs[2])):
        scheme.epoch_end(last)
        powers = [math.exp(float(a / b) / 2) for a, b in zip(last, before, strict=True)]
        expected = torch.tensor([len(heads) * power / sum(powers) for power in powers])
        torch.testing.assert_close(scheme.weights, expected, rtol=1e-4, atol=1e-5)
        assert scheme.weights.sum().item() == pytest.approx(len(heads), rel=1e-5)
        torch.testing.assert_close(scheme(last), (expected * last).sum(), rtol=1e-4, atol=1e-5)


def test_the_head_that_fell_least_weighs_most() -> None:
    scheme = DynamicAverage(3)
    scheme.epoch_end(torch.tensor([1.0, 1.0, 1.0]))
    scheme.epoch_end(torch.tensor([0.9, 0.5, 0.1]))
    assert scheme.weights.tolist() == sorted(scheme.weights.tolist(), reverse=True)


@pytest.mark.parametrize(
    "epochs", [[[1.0, 0.0], [1.0, 0.5]], [[1.0, math.nan], [1.0, 1.0]], [[1.0, 1e-30], [1.0, 1e9]]]
)
def test_ratios_that_are_not_finite_leave_the_heads_equal(epochs: list[list[float]]) -> None:
    scheme = DynamicAverage(2)
    for means in epochs:
        scheme.epoch_end(torch.tensor(means))
    assert scheme.weights.isfinite().all()
    assert scheme.weights.tolist() == [1.0, 1.0]
    scheme.epoch_end(torch.tensor([0.5, 0.25]))
    assert scheme.weights.isfinite().all()


def test_a_checkpoint_goes_on_where_it_stopped() -> None:
    first, again = DynamicAverage(2), DynamicAverage(2)
    for means in ([1.0, 2.0], [0.7, 1.9]):
        first.epoch_end(torch.tensor(means))
    again.load_state_dict(first.state_dict())
    for scheme in (first, again):
        scheme.epoch_end(torch.tensor([0.6, 1.1]))
    assert torch.equal(first.weights, again.weights)


def test_an_epochs_end_keeps_no_graph_and_means_of_another_type() -> None:
    scheme = DynamicAverage(2)
    means = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    for _ in range(2):
        scheme.epoch_end(means * 2)
    assert not scheme.weights.requires_grad and scheme.weights.dtype == torch.float32
    Fixed(2).epoch_end(means)
