"""The one step that training and profiles share: its blocks, what it changes, and that nothing keeps it alive."""

import gc
import weakref

import torch

from bench.data.augment.pipeline import Augmentation
from bench.data.loading.batch import Batch
from bench.train.step import Step
from registry.contract import Quartet
from registry.losses import parse
from registry.losses.objective import Objective, nullspan
from registry.models import models
from registry.optimizers import optimizers
from registry.schedules import schedules

CPU = torch.device("cpu")


def step() -> Step:
    torch.manual_seed(0)
    model = models.build("unet[width=4]")
    optimizer = optimizers.build("adam[lr=0.01]")(model.parameters())
    schedule = schedules.build("cosine")(optimizer, 10)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=False)
    return Step(
        model, Objective(parse("mask: bce, depth: l1")), optimizer, schedule, autocast, CPU, Augmentation("flip", 0, 4)
    )


def batch() -> Batch:
    draw = torch.Generator().manual_seed(0)
    bg, bg_fg = (torch.rand(4, 3, 16, 16, generator=draw) for _ in range(2))
    mask, depth = (torch.rand(4, 1, 16, 16, generator=draw) for _ in range(2))
    ids = torch.arange(4)
    return Batch(ids, ids, Quartet(bg, bg_fg, mask, depth, torch.ones_like(mask)))


def test_blocks_in_the_order_they_run() -> None:
    seen: list[str] = []

    def span(name: str):
        seen.append(name)
        return nullspan(name)

    step_ = step()
    step_.learn(step_.prepare(1, batch(), span), span)
    expected = ["h2d", "augment", "forward", "loss/mask.bce", "loss/depth.l1", "backward", "optimizer", "optimizer"]
    assert seen == expected


def test_weights_and_schedule_move_on_and_gradients_are_let_go() -> None:
    step_ = step()
    before = torch.cat([p.detach().flatten().clone() for p in step_.model.parameters()])
    rate = step_.optimizer.param_groups[0]["lr"]
    step_.learn(step_.prepare(1, batch()))
    assert not torch.equal(before, torch.cat([p.detach().flatten() for p in step_.model.parameters()]))
    assert all(p.grad is None for p in step_.model.parameters())
    assert step_.optimizer.param_groups[0]["lr"] < rate


def test_augmentation_draws_from_the_epoch_and_not_from_the_order_of_calls() -> None:
    step_ = step()
    first, other, again = (step_.prepare(epoch, batch()) for epoch in (1, 2, 1))
    torch.testing.assert_close(first.bg, again.bg, rtol=0, atol=0)
    assert not torch.equal(first.bg, other.bg)


def test_a_step_let_go_is_gone_with_its_model() -> None:
    step_ = step()
    step_.learn(step_.prepare(1, batch()))
    model = weakref.ref(step_.model)
    gc.collect()
    gc.disable()
    try:
        del step_
        assert model() is None
    finally:
        gc.enable()
