"""An evaluation weighs images, not batches, counts real images, and names the samples that break it."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from bench.data.loading.batch import Batch
from bench.timing.ledger import Ledger
from bench.train import evaluate as evaluation
from bench.train.evaluate import Evaluation, evaluate
from registry.contract import Prediction, Quartet
from registry.losses import parse
from registry.losses.objective import Objective

CPU = torch.device("cpu")
EMPTY = (0, 1, 4)
"""Images without any known depth, as they lie among six."""


class SixImages:
    """A loader of six images of which three have no depth."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        draw = torch.Generator().manual_seed(0)
        image, depth = torch.rand(6, 3, 16, 16, generator=draw), torch.rand(6, 1, 16, 16, generator=draw)
        valid = torch.ones_like(depth)
        valid[list(EMPTY)] = 0
        self.quartet = Quartet(image, image, (depth > 0.5).float(), depth, valid)
        self.arrived: list[str] = []

    def in_order(self) -> Iterator[Batch]:
        for ids in torch.arange(6).split(self.batch):
            yield Batch(10 + ids, ids, lambda ids=ids: self.quartet.map(lambda tensor: tensor[ids]))


class Grey(nn.Module):
    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        logits = bg_fg.mean(1, keepdim=True) + torch.linspace(-2, 2, 16)
        return Prediction(logits, logits)


def evaluated(loader: SixImages, recipe: str, ledger: Ledger | None = None) -> Evaluation:
    objective = Objective(parse(recipe))
    autocast = torch.autocast("cpu", enabled=False)
    return evaluate(Grey(), loader, objective, autocast, ledger or Ledger(CPU), ("mask", "depth"))


@pytest.mark.parametrize(
    "recipe",
    [
        "depth: l1",
        "depth: ssim",
        "mask: bce, depth: rmse[pool=batch]",
        "depth: tests.registry.losses.user_terms:half_l1",
    ],
)
def test_the_loss_that_picks_an_epoch_does_not_depend_on_the_batch(recipe: str) -> None:
    losses = [evaluated(SixImages(batch), recipe).loss["total"] for batch in (1, 2, 3, 4, 6)]
    assert losses == pytest.approx([losses[0]] * 5, rel=1e-6)


def test_it_is_the_mean_over_the_images_that_have_depth() -> None:
    loader = SixImages(4)
    found = evaluated(loader, "depth: l1")
    prediction = Grey()(loader.quartet.bg, loader.quartet.bg_fg)
    error = (prediction.depth.value - loader.quartet.depth).abs().flatten(1).mean(1)
    assert found.loss["total"] == pytest.approx(error[[2, 3, 5]].mean().item(), rel=1e-6)
    assert found.summary()["depth_mae"].value == pytest.approx(found.loss["total"], rel=1e-6)


def test_what_the_first_batch_tried_is_no_peak_of_memory() -> None:
    told: list[str] = []

    class Meter:
        def begin_part(self) -> None:
            told.append("begin")

        def settle(self) -> None:
            told.append("settle")

    class Told(SixImages):
        def in_order(self) -> Iterator[Batch]:
            for batch in super().in_order():
                told.append("batch")
                yield batch

    evaluate(Grey(), Told(2), None, torch.autocast("cpu", enabled=False), Ledger(CPU), ("mask",), memory=Meter())
    assert told == ["begin", "batch", "settle", "batch", "batch"]


def test_the_first_samples_are_kept_with_what_was_predicted() -> None:
    loader = SixImages(4)
    quartet, prediction = evaluated(loader, "mask: bce").first(3)
    assert torch.equal(quartet.bg_fg, loader.quartet.bg_fg[:3])
    assert torch.equal(prediction.mask_logits, Grey()(quartet.bg, quartet.bg_fg).mask_logits)
    assert len(evaluated(loader, "mask: bce").first(100)[0]) == 4, "of the first batch"


@pytest.mark.parametrize("batch", [1, 4, 6, 9])
def test_images_are_counted_as_they_are(batch: int) -> None:
    ledger = Ledger(CPU)
    evaluated(SixImages(batch), "mask: bce", ledger)
    assert sum(window.images for window in ledger.windows) == 6


def test_what_waits_for_data_is_a_block_of_its_own() -> None:
    ledger, running, arrivals = Ledger(CPU), [], []
    loader = SixImages(3)

    class Watched(Ledger):
        def __call__(self, name: str):
            running[:] = [name]
            return super().__call__(name)

    arrive = Batch.arrive

    def watched(self: Batch) -> Quartet:
        arrivals.extend(running)
        return arrive(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batch, "arrive", watched)
        ledger = Watched(CPU)
        evaluated(loader, "mask: bce", ledger)
    assert set(arrivals) == {"h2d"}


def test_samples_that_break_the_loss_are_named() -> None:
    loader = SixImages(4)
    loader.quartet.depth[3, 0, 0, 0] = torch.nan
    found = evaluated(loader, "mask: bce, depth: l1")
    assert found.broken.tolist() == [13]
    assert evaluated(SixImages(4), "mask: bce, depth: l1").broken.tolist() == []


def test_pooled_terms_are_said() -> None:
    assert evaluated(SixImages(4), "mask: dice[pool=batch]").pooled == {"mask.dice[pool=batch]": 16}
    assert evaluated(SixImages(4), "mask: dice").pooled == {}


@pytest.mark.parametrize("batch", [4, 5, 6, 9])
def test_where_shapes_are_dear_the_model_meets_one(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    sizes: list[int] = []
    forward = Grey.forward

    def counted(self: Grey, bg: Tensor, bg_fg: Tensor) -> Prediction:
        sizes.append(len(bg))
        return forward(self, bg, bg_fg)

    expected = evaluated(SixImages(batch), "mask: bce, depth: l1")
    monkeypatch.setattr(Grey, "forward", counted)
    monkeypatch.setattr(evaluation, "_shapes_are_dear", lambda device: True)
    found = evaluated(SixImages(batch), "mask: bce, depth: l1")
    quartet, prediction = found.first(3)
    assert len(quartet) == len(prediction.mask_logits) == 3
    assert set(sizes) == {batch}
    assert found.loss == expected.loss
    for name, column in expected.columns.items():
        assert found.columns[name].tolist() == pytest.approx(column.tolist(), nan_ok=True)
