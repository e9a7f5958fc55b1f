from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from torch.nn import functional

from bench.data.images.similarity import (
    NEAR,
    difference_hash,
    distances,
    is_flat,
    near_duplicates,
    nearest,
    object_pictures,
    same_pictures,
)


def pictures(count: int, seed: int = 0) -> Tensor:
    coarse = torch.rand(count, 3, 7, 7, generator=torch.Generator().manual_seed(seed))
    return functional.interpolate(coarse, (64, 64), mode="bicubic").clamp(0, 1)


def jpeg(image: Tensor, quality: int) -> Tensor:
    file = io.BytesIO()
    Image.fromarray((image.permute(1, 2, 0) * 255).byte().numpy()).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1) / 255


def test_a_hash_by_its_definition() -> None:
    rising = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    assert difference_hash(rising)[0] == np.uint64(2**64 - 1)
    assert difference_hash(rising.flip(-1))[0] == np.uint64(0)


def test_distances_by_counting_bits() -> None:
    some = np.array([0, 1, 2**63 + 7, 2**64 - 1], dtype=np.uint64)
    expected = [[(int(a) ^ int(b)).bit_count() for b in some] for a in some]
    assert distances(some, some).tolist() == expected


@pytest.mark.parametrize("change", ["smaller", "brighter", "compressed", "noise"])
def test_a_print_of_a_photograph_is_near_and_another_photograph_is_not(change: str) -> None:
    images = pictures(40)
    changed = {
        "smaller": lambda: functional.interpolate(images, (40, 40), mode="bilinear", antialias=True),
        "brighter": lambda: images * 0.8 + 0.1,
        "compressed": lambda: torch.stack([jpeg(image, 50) for image in images]),
        "noise": lambda: images + 0.02 * torch.randn(images.shape, generator=torch.Generator().manual_seed(1)),
    }[change]()
    table = distances(difference_hash(images), difference_hash(changed))
    assert np.diag(table).max() <= NEAR
    np.fill_diagonal(table, 64)
    assert table.min() > NEAR


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=12), st.lists(st.integers(0, 2**64 - 1), max_size=12))
def test_nearest_is_the_least_of_all_pairs(first: list[int], second: list[int]) -> None:
    a, b = np.array(first, dtype=np.uint64), np.array(second, dtype=np.uint64)
    found = nearest(a, b)
    for i, x in enumerate(first):
        pairs = [(x ^ y).bit_count() for y in second]
        assert found.bits[i] == min(pairs, default=65)
        assert not pairs or pairs[found.neighbour[i]] == found.bits[i]
    alone = nearest(a)
    for i, x in enumerate(first):
        rest = [(x ^ y).bit_count() for j, y in enumerate(first) if j != i]
        assert alone.bits[i] == min(rest, default=65)
        assert alone.neighbour[i] != i


def test_near_duplicates_are_linked() -> None:
    hashes = difference_hash(pictures(6))
    assert same_pictures(np.concatenate([hashes, hashes[:2]])).tolist() == [0, 1, 2, 3, 4, 5, 0, 1]


def test_near_duplicates_are_found_mirrored_on_request_and_in_the_same_colours() -> None:
    images = pictures(6)
    train = images[:4] * 0.9 + 0.08
    assert near_duplicates(images, train).tolist() == [True] * 4 + [False] * 2
    assert near_duplicates(images.flip(-1), train).sum() == 0
    assert near_duplicates(images.flip(-1), train, mirrored=True).tolist() == [True] * 4 + [False] * 2
    tinted = images[:4] + 0.15 * torch.tensor([1.0, -1.0, 1.0])[:, None, None]
    assert near_duplicates(tinted, train).sum() == 0, "of the same shape and another colour"
    assert near_duplicates(torch.full((2, 3, 64, 64), 0.5), torch.full((2, 3, 64, 64), 0.5)).sum() == 0
    assert near_duplicates(images[:0], train).shape == (0,)


def test_flat_pictures_are_known_as_such() -> None:
    images = pictures(3)
    images[1] = 0.4
    assert is_flat(images).tolist() == [False, True, False]


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


def test_no_pictures_are_no_reason_to_warn(recwarn: pytest.WarningsRecorder) -> None:
    assert is_flat(torch.zeros(0, 3, 32, 32)).shape == (0,)
    assert not recwarn.list
