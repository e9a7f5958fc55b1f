from __future__ import annotations

import pytest
import torch
from scipy import ndimage
from torch.nn import functional

from bench.core.errors import BenchError
from bench.data.augment import augmentations
from bench.data.augment.movements import rescale_depth
from bench.data.augment.pipeline import Augmentation, augment, geometric, parse_augmentation
from registry.contract import Quartet
from registry.errors import RegistryError
from tests.bench.rectangles import Rectangles

COLOURS = [
    "brightness", "contrast", "saturation", "hue", "grey[p=1]", "blur[p=1]", "noise", "jpeg[p=1]", "dropout[p=1]"
]  # fmt: skip
IDS = torch.tensor([5, 0, 77, 12])
EVERYTHING = " + ".join(
    f"{name}[p=1]" if "p" in augmentations.get(name).parameters else name for name in augmentations.names()
)


@pytest.mark.parametrize("level", [*augmentations.names(), EVERYTHING])
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


@pytest.mark.parametrize(
    "text",
    ["standard[zoom=0.3,brightness=0,contrast=0,gain=0]", "crop", "scale", "rotate", "flip + crop + scale + rotate"],
)
def test_geometry_moves_inputs_and_targets_together(text: str) -> None:
    # Every image carries the same ramp, so after any common movement they still agree.
    ramp = torch.linspace(0.1, 0.9, 64).expand(8, 1, 64, 64)
    scene = Quartet(ramp.expand(-1, 3, -1, -1), ramp.expand(-1, 3, -1, -1), ramp, ramp, torch.ones_like(ramp))
    done = augment(scene, 1, 0, torch.arange(8), text)
    assert torch.equal(done.bg, done.bg_fg)
    torch.testing.assert_close(done.bg[:, :1], done.mask)
    step = 0.8 / 63
    # Nearest along a slanted line may be off by half an element along it and by half of it across.
    assert (done.depth - done.mask).abs().max() <= 1.01 * step, "picked from the nearest element"
    assert (done.mask - ramp).abs().amax((1, 2, 3)).median() > step / 2, "they were moved"


@pytest.mark.parametrize("text", ["standard[flip=0,zoom=0]", *COLOURS])
def test_photographs_share_one_exposure_and_targets_have_none(quartet: Quartet, text: str) -> None:
    grey = Quartet(quartet.bg * 0.4 + 0.3, quartet.bg * 0.4 + 0.3, quartet.mask, quartet.depth, quartet.valid)
    done = augment(grey, 1, 0, IDS, text)
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


@pytest.mark.parametrize(
    "text",
    ["heavy", "flip +", "flip ++ none", "", "rotate[degrees=400]", "scale[low=2]", "blur[sigma=-1]", "flip[q=1]"],
)
def test_what_does_not_exist(quartet: Quartet, text: str) -> None:
    with pytest.raises((BenchError, RegistryError)):
        augment(quartet, 0, 0, IDS, text)


def test_one_spelling() -> None:
    assert parse_augmentation("flip").text == "flip"
    assert parse_augmentation(" rotate[ degrees = 10.0 ]+flip[p=0.5] + none").text == "rotate + flip"
    assert parse_augmentation("none + none").text == "none"
    assert parse_augmentation("noise + noise[sigma=0.1]").names == ("noise", "noise/1")


def test_operations_draw_apart(quartet: Quartet) -> None:
    """Two mirrorings do not undo each other for all samples."""
    ids = torch.arange(200)
    many = quartet.map(lambda t: t[ids % 4])
    twice = augment(many, 0, 0, ids, "flip + flip")
    changed = sum(not torch.equal(twice.bg[i], many.bg[i]) for i in range(200))
    assert 70 < changed < 130


@pytest.mark.parametrize("text", ["scale[low=0.5,high=1]", "scale[low=1,high=2]", "standard[flip=0]", "rotate", "crop"])
def test_metric_depth_is_divided_by_the_zoom(text: str) -> None:
    depth = torch.full((16, 1, 24, 24), 0.4)
    image = torch.rand(16, 3, 24, 24)
    scene = Quartet(image, image, depth, depth, torch.ones_like(depth))
    ids = torch.arange(16)
    done = augment(scene, 2, 1, ids, text, metric=True)
    u = parse_augmentation(text).draws(2, 1, ids)
    zoom = {
        "scale[low=0.5,high=1]": 0.5 ** (1 - u[:, 0]),
        "scale[low=1,high=2]": 2 ** u[:, 0],
        "standard[flip=0]": 1 + 0.2 * u[:, 1] if u.shape[1] > 1 else None,
    }.get(text, torch.ones(16))
    torch.testing.assert_close(done.depth, depth / zoom[:, None, None, None], rtol=1e-5, atol=1e-6)
    assert done.valid.all()
    plain = augment(scene, 2, 1, ids, text)
    torch.testing.assert_close(plain.depth, depth, rtol=0, atol=0)


def test_a_zoom_of_1_105_makes_a_wall_at_4_metres_one_at_3_62() -> None:
    moved = rescale_depth(
        Quartet(
            torch.zeros(1, 3, 2, 2),
            torch.zeros(1, 3, 2, 2),
            None,
            torch.full((1, 1, 2, 2), 0.4),
            torch.ones(1, 1, 2, 2),
        ),
        torch.tensor([1.105]),
    )
    torch.testing.assert_close(moved.depth, torch.full((1, 1, 2, 2), 0.4 * 0.905), rtol=1e-3, atol=0)


def test_depth_beyond_the_range_becomes_unknown() -> None:
    depth = torch.full((8, 1, 8, 8), 0.9)
    scene = Quartet(torch.zeros(8, 3, 8, 8), torch.zeros(8, 3, 8, 8), None, depth, torch.ones_like(depth))
    done = augment(scene, 0, 0, torch.arange(8), "scale[low=0.5,high=1]", metric=True).check()
    far = done.valid.amax((1, 2, 3)) == 0
    assert far.any()
    assert done.depth[far].max() == 0


def test_rotation_against_scipy() -> None:
    """A disc off the middle goes where the angle says, in pictures that are no squares, too."""
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(96.0), indexing="ij")
    disc = ((rows - 12) ** 2 + (columns - 70) ** 2 < 36).float()[None, None].expand(8, -1, -1, -1)
    done = augment(
        Quartet(disc.expand(-1, 3, -1, -1), disc.expand(-1, 3, -1, -1), disc), 5, 0, torch.arange(8), "rotate"
    )
    angles = (parse_augmentation("rotate").draws(5, 0, torch.arange(8))[:, 0] * 2 - 1) * 10
    for i in range(8):
        turned = ndimage.rotate(disc[i, 0].numpy(), float(angles[i]), reshape=False, order=1)
        assert (done.mask[i, 0] - torch.from_numpy(turned)).abs().mean() < 2e-3


def test_hue_and_saturation_keep_luma_and_grey(quartet: Quartet) -> None:
    mild = Quartet(quartet.bg * 0.2 + 0.4, quartet.bg_fg * 0.2 + 0.4, quartet.mask)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    for text in ("hue[degrees=180]", "saturation[amount=1]"):
        done = augment(mild, 0, 0, IDS, text)
        torch.testing.assert_close((done.bg * luma).sum(1), (mild.bg * luma).sum(1), rtol=0, atol=1e-5)
        assert not torch.allclose(done.bg, mild.bg, atol=0.01)
        grey = mild.bg.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        torch.testing.assert_close(augment(Quartet(grey, grey), 0, 0, IDS, text).bg, grey, rtol=0, atol=1e-5)


def test_blur_against_scipy(quartet: Quartet) -> None:
    done = augment(quartet, 0, 0, IDS, "blur[p=1,sigma=2]").bg
    sigma = parse_augmentation("blur[p=1,sigma=2]").draws(0, 0, IDS)[:, 1] * 2
    for i in range(4):
        expected = ndimage.gaussian_filter(
            quartet.bg[i].double().numpy(), (0, float(sigma[i]), float(sigma[i])), mode="nearest", radius=(0, 6, 6)
        )
        assert abs(done[i].numpy() - expected).max() < 1e-3


def test_a_crop_is_a_shift_with_reflected_rims() -> None:
    image = torch.rand(1, 3, 20, 20)
    done = augment(Quartet(image, image), 1, 0, torch.tensor([3]), "crop[padding=0.25]")
    u = parse_augmentation("crop[padding=0.25]").draws(1, 0, torch.tensor([3]))[0]
    wide = functional.pad(image, (10, 10, 10, 10), mode="reflect")
    shift = (u * 2 - 1) * 5
    x, y = (round(float(s)) for s in shift)
    near = wide[..., 10 + y : 30 + y, 10 + x : 30 + x]
    assert (done.bg - near).abs().mean() < (done.bg - image).abs().mean()


def test_dropout_hides_the_same_of_both_photographs_and_nothing_of_targets(quartet: Quartet) -> None:
    done = augment(quartet, 0, 0, IDS, "dropout[p=1,holes=8,size=0.5]")
    hidden = (done.bg == 0.5).all(1)
    assert hidden.any()
    assert torch.equal(hidden, (done.bg_fg == 0.5).all(1))
    assert done.mask is quartet.mask


def test_where_everything_goes_is_told_without_colours(quartet: Quartet) -> None:
    text = "rotate + noise[sigma=0.5] + dropout[p=1]"
    assert torch.equal(geometric(quartet, 0, 0, IDS, text).bg, augment(quartet, 0, 0, IDS, "rotate + none").bg) is False
    moved = geometric(quartet, 0, 0, IDS, text)
    assert torch.equal(moved.mask, augment(quartet, 0, 0, IDS, text).mask)
    assert not torch.equal(moved.bg, augment(quartet, 0, 0, IDS, text).bg)


def test_pictures_without_a_background_and_unknown_masks() -> None:
    image, plane = torch.rand(4, 3, 16, 16), (torch.rand(4, 1, 16, 16) > 0.5).float()
    alone = Quartet(None, image, plane, mask_valid=plane)
    for text in ("flip", "standard", EVERYTHING):
        done = augment(alone, 0, 0, IDS, text)
        assert done.bg is None
        assert torch.equal(done.mask_valid, done.mask_valid.round())


@pytest.mark.parametrize("text", ["flip", "standard", "crop", "scale", "rotate", EVERYTHING])
def test_what_lies_under_unknown_pixels_reaches_no_known_one(text: str) -> None:
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    distance = ((x - 31) ** 2 + (y - 31) ** 2).sqrt().expand(4, 1, 64, 64)
    disc, known = (distance < 16).float(), ((distance < 13) | (distance > 19)).float()
    image = torch.rand(4, 3, 64, 64)
    for hidden in (torch.zeros_like(disc), torch.ones_like(disc), torch.rand(disc.shape)):
        mask = torch.where(known > 0, disc, hidden)
        done = augment(Quartet(image, image, mask, mask_valid=known), 0, 1, IDS, text)
        assert done.mask_valid.mean() > 0.5
        shown = done.mask[done.mask_valid > 0.5]
        assert torch.minimum(shown, 1 - shown).max() < 1e-5, "inside and outside touch nowhere but under the unknown"


@pytest.mark.parametrize("text", ["standard", "crop + scale + rotate"])
def test_where_all_of_a_mask_is_known_it_is_sampled_as_ever(quartet: Quartet, text: str) -> None:
    soft = Quartet(quartet.bg, quartet.bg_fg, torch.rand(quartet.mask.shape))
    plain = augment(soft, 0, 0, IDS, text).mask
    said = augment(Quartet(soft.bg, soft.bg_fg, soft.mask, mask_valid=torch.ones_like(soft.mask)), 0, 0, IDS, text)
    assert torch.allclose(said.mask, plain, atol=1e-6)


@pytest.mark.parametrize("level", ["none", "flip", "standard", EVERYTHING])
def test_drawing_for_a_whole_epoch_changes_nothing(level: str) -> None:
    many = Rectangles().render("train", torch.arange(24), 16)
    augmentation = Augmentation(level, seed=5, count=24)
    for epoch, ids in ((1, [3, 20, 4]), (1, [0, 23]), (2, [3, 20, 4]), (1, [3, 20, 4])):
        at = torch.tensor(ids)
        batch = many.map(lambda tensor, at=at: tensor[at])
        done, expected = augmentation(batch, epoch, at), augment(batch, 5, epoch, at, level)
        assert all(torch.equal(a, b) for (_, a), (_, b) in zip(done.tensors(), expected.tensors(), strict=True))
