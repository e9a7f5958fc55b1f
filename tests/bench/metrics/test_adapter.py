"""Our metrics as torchmetrics objects: the same figures over batches and over ranks."""

import pytest
import torch
import torchmetrics

from bench.metrics import as_torchmetrics, metrics
from bench.metrics.scores import Scores
from registry.contract import Prediction, Quartet
from registry.errors import UnknownName

KEYS = [*metrics.names(), "mask_nsd[tolerance=2]", "torchmetrics/depth/R2Score"]


@pytest.fixture
def images(scene, rough) -> tuple[Prediction, Quartet]:
    truth = scene(images=7, size=48)
    truth.valid[2] = 0  # an image that has nothing to say of depth
    truth.valid[5, :, 20:] = 0
    truth.mask[4] = 0  # and an image without an object
    return rough(truth), truth


def part(images: tuple[Prediction, Quartet], at: slice) -> tuple[Prediction, Quartet]:
    prediction, truth = images
    return Prediction(prediction.mask_logits[at], prediction.depth_logits[at]), truth.map(lambda tensor: tensor[at])


def expected(key: str, images: tuple[Prediction, Quartet]) -> float:
    scores = Scores([key])
    scores.update(*images)
    (summary,) = scores.summary().values()
    assert summary.value is not None
    return summary.value


@pytest.mark.parametrize("key", KEYS)
def test_equal_to_ours_over_batches(key, images):
    metric = as_torchmetrics(key)
    assert isinstance(metric, torchmetrics.Metric)
    assert metric.higher_is_better == metrics.facts(key).higher_is_better
    for at in (slice(0, 3), slice(3, 4), slice(4, 7)):
        metric.update(*part(images, at))
    assert metric.compute().item() == pytest.approx(expected(key, images), rel=1e-6, abs=1e-6)
    metric.reset()
    metric.update(*part(images, slice(4, 6)))
    assert metric.compute().item() == pytest.approx(expected(key, part(images, slice(4, 6))), rel=1e-6, abs=1e-6)


class Ranks:
    """Stands in for a process group: gathers a state of all ranks, state by state."""

    def __init__(self, ranks: list[torchmetrics.Metric]) -> None:
        self.states = [{name: getattr(rank, name).clone() for name in rank._defaults} for rank in ranks]
        self.names = list(self.states[0])
        self.calls = 0

    def __call__(self, tensor: torch.Tensor, group: object = None) -> list[torch.Tensor]:
        name = self.names[self.calls % len(self.names)]
        self.calls += 1
        assert any(torch.equal(tensor, state[name]) for state in self.states)
        return [state[name] for state in self.states]


@pytest.mark.parametrize("key", KEYS)
def test_equal_to_ours_over_ranks_with_unequal_shares(key, images):
    shares = [(slice(0, 2), slice(2, 3)), (slice(3, 7),)]
    ranks = [as_torchmetrics(key, distributed_available_fn=lambda: True) for _ in shares]
    for rank, share in zip(ranks, shares, strict=True):
        for at in share:
            rank.update(*part(images, at))
    groups = [Ranks(ranks) for _ in ranks]
    for rank, group in zip(ranks, groups, strict=True):
        rank.dist_sync_fn = group
    values = [rank.compute().item() for rank in ranks]
    assert all(group.calls == len(group.names) for group in groups)
    assert values == pytest.approx([expected(key, images)] * 2, rel=1e-6, abs=1e-6)


def test_nothing_to_say_is_nan(images):
    prediction, truth = images
    metric = as_torchmetrics("mask_dice")
    metric.update(Prediction(depth_logits=prediction.depth_logits), truth)
    assert metric.compute().isnan()


def test_a_nan_prediction_is_not_left_out(images):
    prediction, truth = images
    prediction.mask_logits[0, 0, 0, 0] = torch.nan
    metric = as_torchmetrics("mask_dice")
    metric.update(prediction, truth)
    assert metric.compute().item() == -torch.inf == expected("mask_dice", images)


def test_unknown_names_are_named():
    with pytest.raises(UnknownName, match="depth_delta1"):
        as_torchmetrics("depth_delta")
