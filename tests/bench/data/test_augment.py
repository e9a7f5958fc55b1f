from __future__ import annotations

import pytest
import torch

from bench.core.errors import BenchError
from bench.data.augment import LEVELS, Augmentation, Level, augment
from registry.contract import Quartet
from tests.bench.rectangles import Rectangles

IDS = torch.tensor([5, 0, 77, 12])


@pytest.mark.parametrize("level", LEVELS)
def test_a_sample_is_augmented_alike_in_any_batch(quartet: Quartet, level: str) -> None:
    batch = augment(quartet, 3, 2, IDS, level).check()
    for i in range(4):
        alone = augment(quartet.map(lambda t, i=i: t[i : i + 1]), 3, 2, IDS[i : i + 1], level)
        for name, tensor in alone.tensors():
            assert torch.equal(tensor[0], getattr(batch, name)[i]), name


def test_flip_is_exact_and_of_all_images_together(quartet: Quartet) -> None:
    ids = torch.arange(200)
    many = quartet.map(lambda t: t[torch.arange(200) % 4])
    done = augment(many, 0, 0, ids, "flip")
    flipped = []
    for i in range(200):
        same = all(torch.equal(t[i], getattr(many, name)[i]) for name, t in done.tensors())
        mirrored = all(torch.equal(t[i], getattr(many, name)[i].flip(-1)) for name, t in done.tensors())
        assert same != mirrored
        flipped.append(mirrored)
    assert 70 < sum(flipped) < 130


def test_epochs_and_seeds_differ(quartet: Quartet) -> None:
    done = [augment(quartet, seed, epoch, IDS, "standard").bg for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert not torch.equal(done[0], done[1])
    assert not torch.equal(done[0], done[2])


def test_geometry_moves_inputs_and_targets_together() -> None:
    # Every image carries the same ramp, so after any common movement they still agree.
    ramp = torch.linspace(0.1, 0.9, 64).expand(8, 1, 64, 64)
    scene = Quartet(ramp.expand(-1, 3, -1, -1), ramp.expand(-1, 3, -1, -1), ramp, ramp, torch.ones_like(ramp))
    LEVELS["test"] = Level(flip=0.5, zoom=0.3)
    try:
        done = augment(scene, 1, 0, torch.arange(8), "test")
    finally:
        del LEVELS["test"]
    assert torch.equal(done.bg, done.bg_fg)
    torch.testing.assert_close(done.bg[:, :1], done.mask)
    step = 0.8 / 63
    assert (done.depth - done.mask).abs().max() <= 0.51 * step, "picked from the nearest element"
    assert (done.mask - ramp).abs().amax((1, 2, 3)).min() > step / 2, "each was moved"


def test_photographs_share_one_exposure_and_targets_have_none(quartet: Quartet) -> None:
    grey = Quartet(quartet.bg * 0.4 + 0.3, quartet.bg * 0.4 + 0.3, quartet.mask, quartet.depth, quartet.valid)
    LEVELS["test"] = Level(brightness=0.1, contrast=0.2, gain=0.1)
    try:
        done = augment(grey, 1, 0, IDS, "test")
    finally:
        del LEVELS["test"]
    assert torch.equal(done.bg, done.bg_fg)
    assert not torch.allclose(done.bg, grey.bg, atol=0.01)
    for name in ("mask", "depth", "valid"):
        assert torch.equal(getattr(done, name), getattr(grey, name))


def test_no_depth_is_made_up_at_holes() -> None:
    depth = torch.zeros(16, 1, 48, 48)
    depth[..., ::2, :] = 0.25
    depth[..., 1::3] = 0.75
    valid = (depth > 0).float()
    image = torch.rand(16, 3, 48, 48)
    done = augment(Quartet(image, image, valid, depth, valid), 4, 1, torch.arange(16), "standard")
    assert set(done.depth.unique().tolist()) <= {0.0, 0.25, 0.75}
    assert torch.equal((done.depth > 0).float(), done.valid)


def test_none_does_nothing(quartet: Quartet) -> None:
    assert augment(quartet, 0, 0, IDS, "none") is quartet


def test_unknown_level(quartet: Quartet) -> None:
    with pytest.raises(BenchError, match="none, flip, standard"):
        augment(quartet, 0, 0, IDS, "heavy")


@pytest.mark.parametrize("level", ["none", "flip", "standard"])
def test_drawing_for_a_whole_epoch_changes_nothing(level: str) -> None:
    many = Rectangles().render("train", torch.arange(24), 16)
    augmentation = Augmentation(level, seed=5, count=24)
    for epoch, ids in ((1, [3, 20, 4]), (1, [0, 23]), (2, [3, 20, 4]), (1, [3, 20, 4])):
        at = torch.tensor(ids)
        batch = many.map(lambda tensor, at=at: tensor[at])
        done, expected = augmentation(batch, epoch, at), augment(batch, 5, epoch, at, level)
        assert all(torch.equal(a, b) for (_, a), (_, b) in zip(done.tensors(), expected.tensors(), strict=True))
