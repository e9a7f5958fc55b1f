"""Counts equal formulas: multiply-adds forward and backward, bytes moved, memory held and freed."""

import pytest
import torch
from torch import nn

from bench.timing.census import Census, bytes_of
from bench.timing.hooks import BlockPasses
from bench.timing.work import blocks_of, gmacs
from registry.models import models

CPU = torch.device("cpu")
MIB = 2**20


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_convolution_costs_twice_as_much_backward(groups: int, transposed: bool) -> None:
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    conv = kind(8, 16, 3, padding=1, groups=groups)
    x = torch.rand(2, 8, 10, 10, requires_grad=True)
    with Census(CPU) as census:
        with census("forward"):
            y = conv(x)
        with census("backward"):
            y.sum().backward()
    formula = 2 * 10 * 10 * 8 * 16 * 9 / groups
    assert census.counts["forward"].macs == pytest.approx(formula)
    assert census.counts["backward"].macs == pytest.approx(2 * formula)


def test_no_gradient_for_the_images_is_no_work() -> None:
    conv = nn.Conv2d(3, 4, 1)
    with Census(CPU) as census:
        y = conv(torch.rand(1, 3, 8, 8))
        with census("backward"):
            y.sum().backward()
    assert census.counts["backward"].macs == pytest.approx(8 * 8 * 3 * 4)


def test_memory_held_freed_and_its_peak() -> None:
    quarter = torch.zeros(MIB // 4)
    with Census(CPU, held=bytes_of([quarter])) as census:
        census.known([quarter])
        with census("make"):
            a = quarter + 1
            b = a * 2
            view = b[:10]
            del a
        with census("change"):
            b.mul_(3)
        with census("free"):
            del b, view
    make, change, free = (census.counts[name] for name in ("make", "change", "free"))
    assert (make.kept, make.peak) == (MIB, 3 * MIB)
    assert (change.kept, change.peak, change.moved) == (0, 2 * MIB, 2 * MIB)
    assert (free.kept, free.operations) == (-MIB, 0)
    assert make.operations == 2, "a view computes nothing"
    assert make.moved == 4 * MIB
    assert census.peak == 3 * MIB


def test_the_fused_optimizer_moves_weights_gradients_and_moments() -> None:
    weight = nn.Parameter(torch.zeros(MIB // 4))
    optimizer = torch.optim.Adam([weight], fused=True)
    for _ in range(2):
        weight.grad = torch.ones_like(weight)
        with Census(CPU) as census, census("optimizer"):
            optimizer.step()
    assert census.counts["optimizer"].moved == pytest.approx(8 * MIB, rel=0.01), "four read, four written"


def test_blocks_of_a_model_add_up_to_the_model() -> None:
    model = models.build("unet[width=4]").train()
    images = torch.rand(3, 3, 32, 32)
    census = Census(CPU)
    passes = BlockPasses(model, blocks_of(model), census)
    with census, passes.attached():
        with passes.forward():
            prediction = model(images, images)
        loss = prediction.mask.value.mean() + prediction.depth.value.mean()
        with passes.backward():
            loss.backward()
    forward = sum(count.macs for name, count in census.counts.items() if name.startswith("forward/"))
    assert forward / 1e9 == pytest.approx(3 * gmacs(model, 32))
    assert all(census.counts[f"forward/{name}"].operations > 0 for name in blocks_of(model))
