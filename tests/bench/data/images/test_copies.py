"""Copies between parts: found through size, exposure, compression and mirrors; other pictures are none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bench.data.images.copies import (
    copies_in_training,
    find_copies,
    has_detail,
    object_pictures,
    pairs_of_files,
)
from bench.data.images.similarity import NEAR, difference_hash, distances
from registry.contract import Quartet
from tests.bench.data.images.made_pictures import jpeg, pictures

CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "darker": lambda images: images * 0.9,
    "brighter": lambda images: images * 0.9 + 0.08,
    "compressed": lambda images: torch.stack([jpeg(image, 50) for image in images]),
    "mirrored": lambda images: images.flip(-1),
    "smaller": lambda images: functional.interpolate(images, (40, 40), mode="bilinear", antialias=True),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("side", [8, 32])
def test_a_copy_is_found_and_nothing_else(change: str, side: int) -> None:
    images = pictures(6)
    copies = find_copies(images, CHANGES[change](images[:4]), side)
    assert copies.found.tolist() == [True] * 4 + [False] * 2
    assert copies.bits <= NEAR


def test_the_same_shape_in_another_colour_is_no_copy() -> None:
    images = pictures(6)
    tinted = images[:4] + 0.15 * torch.tensor([1.0, -1.0, 1.0])[:, None, None]
    assert not find_copies(tinted, images).found.any()
    both = torch.cat([tinted, images])  # as near by its hash, and first
    assert find_copies(images[:4], both).found.all()


def test_many_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    images, known = pictures(20), torch.cat([pictures(9, seed=1), pictures(20)[:7].flip(-1)])
    whole = find_copies(images, known)
    monkeypatch.setattr("bench.data.images.copies._AT_ONCE", 64)
    parts = find_copies(images, known)
    assert parts.found.tolist() == whole.found.tolist() == [True] * 7 + [False] * 13
    assert parts.bits == whole.bits


@pytest.mark.parametrize(
    ("held", "known"),
    [
        (torch.full((2, 3, 64, 64), 0.5), torch.full((2, 3, 64, 64), 0.5)),
        (torch.zeros(0, 3, 64, 64), pictures(2)),
        (pictures(2), torch.zeros(0, 3, 64, 64)),
    ],
    ids=["flat", "none held", "none known"],
)
def test_flat_pictures_and_none_have_no_copies(held: Tensor, known: Tensor) -> None:
    copies = find_copies(held, known)
    assert copies.found.tolist() == [False] * len(held) and copies.bits == 64


def quartet(rooms: Tensor, masks: Tensor | None = None) -> Quartet:
    return Quartet(bg=rooms, bg_fg=rooms, mask=masks, depth=None)


def test_groups_that_the_split_shares_are_counted_apart() -> None:
    rooms = pictures(8)
    train, test = quartet(rooms[:6]), quartet(rooms[[0, 1, 6, 7]])
    (found,) = copies_in_training({"train": train, "test": test})
    assert (found.what, found.part, found.copies, found.of, found.shared) == (
        "background",
        "test",
        [(0, 0), (1, 1)],
        4,
        0,
    )
    numbers = torch.arange(6), torch.tensor([0, 9, 6, 7])
    (found,) = copies_in_training(
        {"train": train, "test": test}, {p: (n, n) for p, n in zip(("train", "test"), numbers, strict=True)}
    )
    assert (found.copies, found.of, found.shared) == ([(1, 1)], 3, 0.25)
    assert not [*copies_in_training({"test": test})]


def test_a_background_in_many_quartets_is_one() -> None:
    rooms = pictures(8)
    quartets = {"train": quartet(rooms[[0, 1, 1, 2]]), "test": quartet(rooms[[4, 1, 1, 5, 1]])}
    numbers = {"train": torch.tensor([0, 1, 1, 2]), "test": torch.tensor([4, 9, 9, 5, 9])}
    (found,) = copies_in_training(quartets, {part: (n, n) for part, n in numbers.items()})
    assert (found.copies, found.of, found.known) == ([(1, 1)], 3, 3)
    files = {"train": {"background": ["a", "b", "b", "c"]}, "test": {"background": ["e", "copy of b", "", "f", ""]}}
    assert pairs_of_files(found, files) == ": copy of b like b"
    assert pairs_of_files(found, {"train": {}, "test": {}}) == ""
    many = found._replace(copies=[(1, 1), (0, 0), (3, 3)])
    assert pairs_of_files(many, files, most=2) == ": copy of b like b, e like a and 1 more"


def test_objects_without_names_count_by_quartet() -> None:
    masks = torch.zeros(3, 1, 64, 64)
    masks[:, :, 8:40, 8:40] = 1
    parts = {"train": quartet(pictures(3), masks), "test": quartet(pictures(3)[[0, 0, 1]], masks)}
    groups = {part: (torch.full((3,), at),) * 2 for at, part in enumerate(parts)}
    for named, of in ((True, 1), (False, 3)):
        _, found = copies_in_training(parts, groups, named)
        assert (found.what, len(found.copies), found.of) == ("object", of, of)


def test_an_object_is_found_again_on_another_background_and_elsewhere() -> None:
    things, rooms = pictures(2, seed=3), pictures(2, seed=4)
    images, masks = rooms.clone(), torch.zeros(2, 1, 64, 64)
    for i, corner in enumerate((4, 30)):
        images[i, :, corner : corner + 24, corner : corner + 24] = functional.interpolate(
            things[:1], (24, 24), mode="bilinear", antialias=True
        )[0]
        masks[i, :, corner : corner + 24, corner : corner + 24] = 1
    hashes = difference_hash(object_pictures(images, masks))
    assert distances(hashes[:1], hashes[1:])[0, 0] <= NEAR
    assert distances(difference_hash(images[:1]), difference_hash(images[1:]))[0, 0] > NEAR
    assert (object_pictures(images, torch.zeros_like(masks)) == 0.5).all()


def test_backdrops_in_a_light_that_falls_off_are_no_copies() -> None:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    light = torch.stack([1 + 0.1 * x, 1 + 0.1 * y, 1 - 0.15 * (x**2 + y**2)])[:, None]
    colours = torch.tensor([[0.78, 0.64, 0.72], [0.59, 0.44, 0.45], [0.2, 0.55, 0.58]])[:, :, None, None]
    backdrops = (colours * light).clamp(0, 1)
    assert not has_detail(backdrops).any()
    assert not find_copies(backdrops, backdrops.roll(1, 0)).found.any()
    assert has_detail(pictures(6)).all() and has_detail(0.1 * pictures(6)).all(), "a dark room is no backdrop"


def test_products_before_the_same_backdrop_are_told_by_themselves() -> None:
    """Of pictures without backgrounds the rest of each counts as its scene, and the object for itself."""
    masks = torch.zeros(6, 1, 64, 64)
    masks[:, :, 24:40, 24:40] = 1
    products = torch.where(masks > 0, pictures(6), torch.full((6, 3, 64, 64), 0.95))
    parts = {part: Quartet(None, products[i], masks[i]) for part, i in (("train", slice(3)), ("test", slice(3, 6)))}
    assert [found.copies for found in copies_in_training(parts)] == [[], []]
    parts["test"] = Quartet(None, products[2:5], masks[2:5])
    assert [(found.what, found.copies) for found in copies_in_training(parts)] == [
        ("background", []),
        ("object", [(0, 2)]),
    ]


def test_specks_are_not_compared() -> None:
    rooms, masks = pictures(2), torch.zeros(2, 1, 64, 64)
    masks[0, :, 10:17, 10:17], masks[1, :, 10:18, 10:12] = 1, 1
    assert (object_pictures(rooms, masks)[0] == 0.5).all()
    assert not (object_pictures(rooms, masks)[1] == 0.5).all()
