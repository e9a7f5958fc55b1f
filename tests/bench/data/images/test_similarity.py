from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from bench.data.images.similarity import (
    NEAR,
    difference_hash,
    distances,
    is_flat,
)
from tests.bench.data.images.made_pictures import jpeg, pictures


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


def test_flat_pictures_are_known_as_such() -> None:
    images = pictures(3)
    images[1] = 0.4
    assert is_flat(images).tolist() == [False, True, False]


def test_no_pictures_are_no_reason_to_warn(recwarn: pytest.WarningsRecorder) -> None:
    assert is_flat(torch.zeros(0, 3, 32, 32)).shape == (0,)
    assert not recwarn.list
