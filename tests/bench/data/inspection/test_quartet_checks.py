"""Each check of quartets against data with that one fault, by a known amount."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from bench.data.images.copies import copies_in_training
from bench.data.inspection.quartet_checks import (
    alignment,
    duplicates_between_parts,
    fields,
    masks,
    misaligned,
    outside_difference,
)
from registry.contract import Quartet

COUNT, SIDE = 12, 32


def photographs(seed: int, count: int = COUNT) -> Tensor:
    """Smooth pictures that differ much from each other, (count, 3, SIDE, SIDE)."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=False)


def quartets(seed: int = 0, side: int = 10) -> Quartet:
    """A square object on each background; depth falls from top to bottom."""
    bg, mask = photographs(seed), torch.zeros(COUNT, 1, SIDE, SIDE)
    for i in range(COUNT):
        mask[i, :, 4 + i : 4 + i + side, 8 : 8 + side] = 1
    bg_fg = torch.where(mask > 0, 1 - bg, bg)
    depth = torch.linspace(0.9, 0.2, SIDE).view(1, 1, -1, 1).expand(COUNT, 1, SIDE, SIDE).clone()
    return Quartet(bg, bg_fg, mask, depth, torch.ones_like(depth))


def test_the_difference_outside_is_what_numpy_says() -> None:
    quartet = quartets()
    quartet.bg = (quartet.bg + 0.03 * torch.rand(quartet.bg.shape)).clamp(0, 1)  # type: ignore[union-attr]
    found = outside_difference(quartet)
    assert found is not None
    for i in range(COUNT):
        grown = ndimage.binary_dilation(quartet.mask[i, 0].numpy() > 0.02, np.ones((5, 5)))  # type: ignore[index]
        difference = (quartet.bg[i] - quartet.bg_fg[i]).abs().mean(0).numpy()  # type: ignore[index]
        assert found[i].item() == pytest.approx(difference[~grown].mean(), rel=1e-5)


def test_without_a_background_or_a_mask_nothing_is_compared() -> None:
    quartet = quartets()
    for missing in ("bg", "mask"):
        rest = {name: tensor for name, tensor in quartet.tensors() if name != missing}
        assert outside_difference(Quartet.of(rest)) is None
        assert alignment(Quartet.of(rest)).grade == "ok"


@pytest.mark.parametrize(("wrong", "grade"), [(0, "ok"), (1, "broken"), (6, "broken")])
def test_backgrounds_of_other_pictures_are_found_one_by_one(wrong: int, grade: str) -> None:
    quartet = quartets()
    assert quartet.bg is not None
    quartet.bg[:wrong] = photographs(99, wrong)
    found = misaligned(quartet)
    assert found is not None
    assert found[0].tolist() == [i < wrong for i in range(COUNT)]
    assert alignment(quartet).grade == grade
    if wrong:
        assert f"in {wrong} of {COUNT} quartets" in alignment(quartet).finding


def noisy(images: Tensor, mask: Tensor | None) -> Tensor:
    """Another print of the same: a little more noise outside the mask."""
    assert mask is not None
    draws = torch.rand(images.shape, generator=torch.Generator().manual_seed(0)) - 0.5
    return images + draws * torch.where(mask > 0, 0.03, 0.04)


def exchanged(q: Quartet) -> Quartet:
    """bg and bg_fg exchanged, where each background has two objects."""
    same = q.bg.repeat_interleave(2, 0)[:COUNT]  # type: ignore[union-attr]
    objects = torch.where(q.mask > 0, 1 - same, same)  # type: ignore[operator]
    return Quartet(objects, same, q.mask, q.depth, q.valid)


FAULTS: dict[str, tuple[Callable[[Quartet], Quartet], str]] = {
    "inverted masks": (lambda q: Quartet(q.bg, q.bg_fg, 1 - q.mask, q.depth, q.valid), "inside the mask"),  # type: ignore[operator]
    "depth that is a mask": (lambda q: Quartet(q.bg, q.bg_fg, q.mask, q.mask, q.valid), "of the depth is 0 or 1"),
    "exchanged": (exchanged, "exchanged"),
    "exchanged, of a scene each": (
        lambda q: Quartet(q.bg_fg, q.bg, q.mask, q.depth, q.valid),
        "outline is clearer in bg",
    ),
    "bg copied": (lambda q: Quartet(q.bg_fg, q.bg_fg, q.mask, q.depth, q.valid), "in 12 of 12 quartets bg is no other"),
    "bg copied through a JPEG": (
        lambda q: Quartet(noisy(q.bg_fg, q.mask), q.bg_fg, q.mask, q.depth, q.valid),
        "differ by 0.007 inside the mask and by 0.010 outside",
    ),
}


@pytest.mark.parametrize(("copies", "grade"), [(0, "ok"), (2, "warn"), (7, "broken")])
def test_backgrounds_that_show_the_object_are_counted(copies: int, grade: str) -> None:
    quartet = quartets()
    assert quartet.bg is not None
    quartet.bg[:copies] = quartet.bg_fg[:copies]
    found = fields(quartet, torch.arange(COUNT))
    assert found.grade == grade
    assert found.numbers["bg_like_bg_fg"] == pytest.approx(copies / COUNT)
    if copies:
        assert f"in {copies} of {COUNT} quartets" in found.finding


@pytest.mark.parametrize("name", FAULTS)
def test_a_field_that_holds_another_is_broken(name: str) -> None:
    fault, words = FAULTS[name]
    groups = torch.arange(COUNT) // 2
    assert fields(quartets(), torch.arange(COUNT)).grade == "ok"
    found = fields(fault(quartets()), groups)
    assert found.grade == "broken"
    assert words in found.finding + found.advice


@pytest.mark.parametrize(
    ("change", "grade", "words"),
    [
        (lambda mask: mask, "ok", "9.8%"),
        (lambda mask: torch.ones_like(mask), "broken", "100% of the masks cover all"),
        (lambda mask: torch.cat([mask[:-2], torch.zeros_like(mask[:2])]), "warn", "17% of the masks are empty"),
        (lambda mask: mask / 255, "warn", "all masks are empty"),
    ],
)
def test_masks(change: Callable[[Tensor], Tensor], grade: str, words: str) -> None:
    quartet = quartets()
    assert quartet.mask is not None
    quartet.mask = change(quartet.mask)
    found = masks(quartet)
    assert found.grade == grade
    assert words in found.finding


def test_a_mask_of_which_nothing_is_known_is_not_empty() -> None:
    quartet = quartets()
    assert quartet.mask is not None
    quartet.mask[:4] = 0
    assert "empty" in masks(quartet).finding
    quartet.mask_valid = torch.ones_like(quartet.mask)
    quartet.mask_valid[:4] = 0
    found = masks(quartet)
    assert found.grade == "ok" and found.numbers["empty"] == 0 and "nothing is known" in found.finding
    quartet.mask_valid[:] = 0
    assert masks(quartet).grade == "broken"


def test_a_background_of_training_in_the_test_part_is_found_by_the_picture() -> None:
    train, test = quartets(0), quartets(1)
    assert duplicates_between_parts(copies_in_training({"train": train, "test": test}), {}).grade != "broken"
    assert test.bg is not None and train.bg is not None
    test.bg[3] = (train.bg[5] * 0.98).clamp(0, 1)
    found = duplicates_between_parts(copies_in_training({"train": train, "test": test}), {})
    assert found.grade == "broken"
    assert found.numbers["test_backgrounds"] == pytest.approx(1 / COUNT)
    assert f"1 of {COUNT} backgrounds of test has a near duplicate in train" in found.finding


def exposed(images: Tensor, seed: int = 3) -> Tensor:
    """Each picture up to 10 % brighter or darker, by a camera that decides for itself."""
    gain = 0.9 + 0.2 * torch.rand(len(images), 1, 1, 1, generator=torch.Generator().manual_seed(seed))
    return images * gain


def test_another_exposure_is_no_other_field_and_no_other_scene() -> None:
    """Rooms with several shots each, the empty one otherwise exposed every time."""
    rooms = torch.arange(COUNT) // 4
    quartet = quartets(side=4)
    assert quartet.bg is not None and quartet.mask is not None
    quartet.bg = 0.8 * photographs(0, 3)[rooms]
    quartet.bg_fg = torch.where(quartet.mask > 0, 1 - quartet.bg, quartet.bg)
    quartet.bg = exposed(quartet.bg)
    assert fields(quartet, rooms).grade == "ok"
    assert alignment(quartet, rooms).grade == "ok"
    quartet.bg = quartet.bg.roll(4, 0)
    assert alignment(quartet, rooms).grade == "broken"


def test_a_faint_object_under_another_exposure_is_seen() -> None:
    quartet = quartets()
    assert quartet.bg is not None and quartet.mask is not None
    quartet.bg_fg = torch.where(quartet.mask > 0, 0.85 * quartet.bg + 0.15 * (1 - quartet.bg), quartet.bg)
    quartet.bg = exposed(quartet.bg)
    assert fields(quartet, torch.arange(COUNT)).numbers["bg_like_bg_fg"] == 0


def test_a_smooth_object_before_a_textured_wall_is_not_exchanged() -> None:
    quartet = quartets()
    assert quartet.mask is not None
    wall = ((torch.arange(SIDE)[:, None] // 3 + torch.arange(SIDE) // 3) % 2).float().expand(COUNT, 3, SIDE, SIDE)
    quartet.bg = 0.3 + 0.4 * wall
    quartet.bg_fg = torch.where(quartet.mask > 0, 0.45, quartet.bg)
    assert fields(quartet, torch.arange(COUNT)).grade == "ok"
    exchanged = Quartet(quartet.bg_fg, quartet.bg, quartet.mask)
    assert fields(exchanged, torch.arange(COUNT)).grade == "ok", "nothing tells which is the wall"


def test_masks_that_are_empty_on_purpose_are_no_fault() -> None:
    quartet = quartets()
    assert quartet.mask is not None
    quartet.mask[:2] = 0
    assert masks(quartet).grade == "warn"
    found = masks(quartet, empty_share=0.15)
    assert found.grade == "ok"
    area = quartet.mask.mean((1, 2, 3)).numpy()
    assert found.numbers["median"] == pytest.approx(float(np.median(area)))
