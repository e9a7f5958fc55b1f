"""Multiply-adds and parameters against counts by hand, of models that are regular and of models that are not."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from bench.timing.work import blocks_of, count_gmacs, gmacs, meta_copy, parameter_count
from registry.contract import Prediction
from registry.models import models


class Pair(nn.Module):
    """A user's model: one layer over both images."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(self.layer(torch.cat([bg, bg_fg], dim=1)))


@settings(max_examples=15)
@given(
    out=st.integers(1, 8).map(lambda n: 6 * n), kernel=st.sampled_from([1, 3, 5]), groups=st.sampled_from([1, 2, 3, 6])
)
def test_a_convolution_costs_its_kernel_at_every_place(out: int, kernel: int, groups: int) -> None:
    layer = nn.Conv2d(6, out, kernel, padding=kernel // 2, groups=groups)
    weights = out * (6 // groups) * kernel**2
    assert gmacs(Pair(layer), 16) == pytest.approx(weights * 16**2 / 1e9)
    assert parameter_count(layer) == weights + out


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_stride_divides_the_cost_by_its_square(stride: int) -> None:
    layer = nn.Conv2d(6, 4, 3, padding=1, stride=stride)
    assert gmacs(Pair(layer), 32) == pytest.approx(6 * 4 * 9 * (32 // stride) ** 2 / 1e9)


def test_the_cost_of_a_convolutional_net_grows_with_the_area() -> None:
    net = models.build("unet[width=8]")
    small, large = gmacs(net, 32), gmacs(net, 64)
    assert small is not None and large == pytest.approx(4 * small)


class ReadsValues(nn.Module):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(bg[:, :1] if bg.mean().item() > 0 else bg_fg[:, :1])


class Raises(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        raise self.error


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (ReadsValues(), "not counted: "),
        (Raises(ValueError("not this\nand more")), "not counted: ValueError: not this"),
        (Raises(KeyError()), "not counted: KeyError: no reason given"),
    ],
)
def test_what_cannot_be_counted_is_none_with_a_reason_in_one_line(net: nn.Module, reason: str) -> None:
    count, why = count_gmacs(net, 16)
    assert count is None and gmacs(net, 16) is None
    assert why is not None and why.startswith(reason) and "\n" not in why


def test_a_count_has_no_reason() -> None:
    assert count_gmacs(Pair(nn.Conv2d(6, 1, 1)), 16)[1] is None


class Keeps(nn.Module):
    """Holds what it computed, which has a graph, twice by the same name."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 1)
        self.kept: list[Tensor] = []

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        out = self.conv(torch.cat([bg, bg_fg], 1))
        self.kept = [out, out]
        return Prediction(out[:, :1], out[:, 1:])


def test_a_model_that_keeps_features_is_copied_without_their_graph() -> None:
    net = Keeps()
    net(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))
    kept = net.kept
    twin = meta_copy(net)
    assert twin.kept[0] is twin.kept[1] and not twin.kept[0].requires_grad  # type: ignore[union-attr,index]
    assert next(twin.parameters()).device.type == "meta" and not twin.training
    assert net.kept is kept and net.kept[0].requires_grad and net.training
    assert next(net.parameters()).device.type == "cpu"
    assert gmacs(net, 8) == pytest.approx(12 * 64 / 1e9)


def test_a_model_with_weights_that_are_worked_out_is_copied_too() -> None:
    net = Pair(nn.utils.parametrizations.weight_norm(nn.Conv2d(6, 2, 1)))
    assert gmacs(net, 8) == pytest.approx(12 * 64 / 1e9)


def test_blocks_of_a_users_module_are_its_children() -> None:
    net = Pair(nn.Sequential(nn.Conv2d(6, 2, 1), nn.ReLU()))
    assert blocks_of(net) == {"layer": [net.layer]}
    assert blocks_of(nn.Conv2d(1, 1, 1)) == {}
    ours = models.build("unet[width=8]")
    assert blocks_of(ours) == ours.blocks() and len(blocks_of(ours)) >= 4


def test_frozen_and_shared_parameters_count_once() -> None:
    conv = nn.Conv2d(3, 3, 1)
    conv.weight.requires_grad_(False)
    assert parameter_count(nn.ModuleList([conv, conv])) == 12
    assert parameter_count(nn.Module()) == 0
