"""The atlas: every level is the mean of the one below, tiles are drawn evenly, and patterns repeat."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.data.counter_random import uniform
from bench.data.synthetic.textures import LEVELS, PATTERNS, TILE, atlas, level_table, pattern_tiles

LARGEST = 1 - 2.0**-24
VARIANTS = 6


@pytest.fixture(scope="module")
def tiles() -> torch.Tensor:
    return atlas(3)


def test_levels_are_means_of_the_level_below(tiles: torch.Tensor) -> None:
    sides, offsets = (values.tolist() for values in level_table(torch.device("cpu")))
    assert sides == [TILE >> level for level in range(LEVELS)]
    assert tiles.shape == (len(PATTERNS) * VARIANTS, sum(side * side for side in sides))
    levels = [
        tiles[:, offset : offset + side * side].view(-1, side, side).numpy()
        for side, offset in zip(sides, offsets, strict=True)
    ]
    for fine, coarse in itertools.pairwise(levels):
        half = coarse.shape[1]
        expected = fine.reshape(-1, half, 2, half, 2).mean((2, 4))
        np.testing.assert_allclose(coarse, expected, atol=1e-6)


def test_an_atlas_is_a_function_of_its_seed(tiles: torch.Tensor) -> None:
    assert torch.equal(atlas(3), tiles)
    assert not torch.equal(atlas(4), tiles)
    assert 0 <= tiles.min() and tiles.max() <= 1


@given(
    st.lists(st.sampled_from(list(PATTERNS)), min_size=1, max_size=9),
    st.lists(st.sampled_from([0.0, LARGEST]) | st.floats(0, LARGEST, width=32), min_size=1, max_size=8),
)
def test_a_tile_is_always_of_a_pattern_that_was_named(patterns: list[str], draws: list[float]) -> None:
    numbers = pattern_tiles(tuple(patterns), torch.tensor(draws))
    names = list(PATTERNS)
    assert {names[number // VARIANTS] for number in numbers.tolist()} <= set(patterns)


def test_tiles_are_equally_likely() -> None:
    draws = uniform(0, "tiles", torch.arange(6000), 1)[:, 0]
    numbers = pattern_tiles(("plain", "checks", "dots"), draws)
    counts = torch.bincount(numbers, minlength=len(PATTERNS) * VARIANTS)
    assert int((counts > 0).sum()) == 3 * VARIANTS
    assert stats.chisquare(counts[counts > 0].numpy()).pvalue > 1e-3
