"""Hooks split a forward and a backward pass into its blocks: with a clock turned by hand, and on awkward models."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import nn

from bench.core.record.timings import LOSS_BACKWARD
from bench.timing.hooks import BlockPasses, WholePasses
from bench.timing.ledger import Ledger
from bench.timing.marks import MarkedBlock
from bench.timing.work import blocks_of
from registry.contract import Model, Prediction
from registry.losses.objective import nullspan
from registry.models import models


class HandClock:
    """A recorder whose time moves when a test says so, in whole ticks."""

    def __init__(self) -> None:
        self.now = 0
        self.rows: list[tuple[str, int]] = []

    def mark(self) -> int:
        return self.now

    def add(self, name: str, begin: int, end: int) -> None:
        self.rows.append((name, end - begin))

    def sums(self) -> dict[str, int]:
        sums: dict[str, int] = {}
        for name, ticks in self.rows:
            sums[name] = sums.get(name, 0) + ticks
        return sums


class Tick(torch.autograd.Function):
    """The identity, which takes some ticks forward and some backward."""

    @staticmethod
    def forward(ctx, x, clock, forward, backward):
        ctx.clock, ctx.ticks = clock, backward
        clock.now += forward
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        ctx.clock.now += ctx.ticks
        return gradient, None, None, None


class Ticking(nn.Module):
    def __init__(self, clock: HandClock, forward: int, backward: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.clock, self.ticks = clock, (forward, backward)

    def forward(self, x):
        return Tick.apply(x * self.scale, self.clock, *self.ticks)


def run(model: nn.Module, blocks, clock: HandClock, loss_ticks: int = 0) -> dict[str, int]:
    passes = BlockPasses(model, blocks, clock)
    x = torch.ones(2, 3)
    with passes.attached():
        with passes.forward():
            out = model(x)
        loss = Tick.apply(out, clock, 0, loss_ticks).sum()
        with passes.backward():
            loss.backward()
    return clock.sums()


class Chain(nn.Module):
    """first, glue of 5 ticks forward and 7 backward, second (called twice), a tail of 2 and 4."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self.clock = clock
        self.first, self.second = Ticking(clock, 10, 20), Ticking(clock, 1, 3)

    def forward(self, x):
        x = Tick.apply(self.first(x), self.clock, 5, 7)
        return Tick.apply(self.second(self.second(x)), self.clock, 2, 4)


def test_every_tick_goes_to_its_block() -> None:
    clock = HandClock()
    model = Chain(clock)
    sums = run(model, {"first": [model.first], "second": [model.second]}, clock, loss_ticks=9)
    assert sums == {
        "forward/first": 10,
        "forward/second": 5 + 1 + 1 + 2,
        LOSS_BACKWARD: 9,
        "backward/second": 4 + 3 + 3 + 7,
        "backward/first": 20,
    }


class Nested(nn.Module):
    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self.inner, self.clock = Ticking(clock, 3, 1), clock
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        x = Tick.apply(x * self.scale, self.clock, 10, 1)
        return Tick.apply(self.inner(x), self.clock, 20, 1)


def test_a_block_within_a_block_is_not_counted_twice() -> None:
    clock = HandClock()
    outer = Nested(clock)
    model = nn.Sequential(outer)
    sums = run(model, {"outer": [outer], "inner": [outer.inner]}, clock)
    assert (sums["forward/outer"], sums["forward/inner"]) == (30, 3)


class Awkward(Model):
    """Blocks that return a list, a dict and a tuple, start with an in-place ReLU, and share a module."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.middle, self.heads = Listing(), Dicting(), Pairing()

    def predict(self, bg, bg_fg) -> Prediction:
        features = self.encoder(torch.cat([bg, bg_fg], 1))
        mask, depth = self.heads(self.middle(features)["out"])
        return Prediction(mask, depth[:, :1] * 2)

    def blocks(self):
        return {"encoder": [self.encoder], "middle": [self.middle], "heads": [self.heads]}


class Listing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.conv(x)
        return [x, self.relu(x * 2)]


class Dicting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu, self.conv = nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, features):
        x = self.conv(self.relu(features[1] + 0 * features[0]))
        return {"out": self.conv(self.relu(x))}


class Pairing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu, self.conv = nn.ReLU(inplace=True), nn.Conv2d(8, 3, 1)

    def forward(self, x):
        return self.conv(self.relu(x)).split([1, 2], 1)


def gradients(model: nn.Module, passes) -> list[torch.Tensor]:
    model.zero_grad()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with passes.attached():
        with passes.forward():
            prediction = model(images, images)
        loss = sum(head.value.mean() for _, head in prediction.heads())
        with passes.backward():
            loss.backward()
    return [p.grad.clone() for p in model.parameters()]


@pytest.mark.parametrize("key", ["awkward", "unet[width=4]", "masknet", "smp/unet/tu-mobilenetv3_small_050"])
def test_the_passes_close_and_change_no_gradient(key: str) -> None:
    torch.manual_seed(0)
    model = (Awkward() if key == "awkward" else models.build(key)).train()
    expected = gradients(model, WholePasses(nullspan))
    clock = Counting()
    passes = BlockPasses(model, blocks_of(model), clock)
    found = gradients(model, passes)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b)
    names = {name for name, _, _ in clock.rows}
    blocks = blocks_of(model)
    assert names == {f"{way}/{name}" for name in blocks for way in ("forward", "backward")} | {LOSS_BACKWARD}
    # Without a gap: every interval begins where the last one ended.
    for way in ("forward/", ("backward/", LOSS_BACKWARD)):
        rows = [row for row in clock.rows if row[0].startswith(way)]
        assert all(before[2] == after[1] for before, after in pairwise(rows))


class Counting:
    """A recorder in which every mark is the next number."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: list[tuple[str, int, int]] = []

    def mark(self) -> int:
        self.count += 1
        return self.count

    def add(self, name: str, begin: int, end: int) -> None:
        self.rows.append((name, begin, end))


def test_hooks_are_gone_after_a_mistake() -> None:
    model = models.build("unet[width=4]")
    with pytest.raises(ZeroDivisionError), BlockPasses(model, blocks_of(model), Counting()).attached():
        assert any(m._forward_hooks for m in model.modules())
        raise ZeroDivisionError
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_frozen_blocks_have_no_backward() -> None:
    model = Awkward()
    model.encoder.requires_grad_(False)
    clock = Counting()
    passes = BlockPasses(model, model.blocks(), clock)
    images = torch.rand(1, 3, 8, 8)
    with passes.attached():
        with passes.forward():
            prediction = model(images, images)
        with passes.backward():
            prediction.mask.value.mean().backward()
    assert "backward/encoder" not in {name for name, _, _ in clock.rows}


def test_whole_passes_are_one_block_each() -> None:
    clock = HandClock()
    passes = WholePasses(partial(MarkedBlock, clock))
    with passes.forward():
        clock.now += 3
    with passes.backward():
        clock.now += 4
    assert clock.sums() == {"forward": 3, "backward": 4}


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_events_close_on_a_gpu_and_never_synchronise() -> None:
    device = torch.device("cuda")
    model = models.build("unet[width=16]").to(device).train()
    images = torch.rand(8, 3, 64, 64, device=device)
    ledger = Ledger(device, seconds=0.0, min_steps=4)
    passes = BlockPasses(model, blocks_of(model), ledger)
    with passes.attached():
        for _ in range(2):
            for _ in ledger.window(iter(range(4)), images=8, instrumented=True):
                torch.cuda.set_sync_debug_mode("error")
                with passes.forward():
                    prediction = model(images, images)
                with ledger("loss/mean"):
                    loss = sum(head.value.mean() for _, head in prediction.heads())
                with passes.backward():
                    loss.backward()
                torch.cuda.set_sync_debug_mode("default")
    timings = ledger.timings()
    assert timings.closure is not None
    assert timings.closure > 0.9
