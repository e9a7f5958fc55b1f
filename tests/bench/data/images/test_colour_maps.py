"""Colour maps against matplotlib's own numbers, and depth in colours turned back into depth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.core.errors import BenchError
from bench.data.images.colour_maps import NAMES, colour_map, entries, likely, painted

EVERY_MAP = pytest.mark.parametrize("name", NAMES)
ENDS = {
    "inferno": ((0, 0, 4), (188, 55, 84), (252, 255, 164)),
    "jet": ((0, 0, 128), (128, 255, 121), (128, 0, 0)),
    "magma": ((0, 0, 4), (183, 55, 121), (252, 253, 191)),
    "plasma": ((13, 8, 135), (204, 71, 120), (240, 249, 33)),
    "viridis": ((68, 1, 84), (33, 145, 140), (253, 231, 37)),
}
"""matplotlib's first entry, its middle (128 of 255), and its last."""


@EVERY_MAP
def test_first_middle_and_last_colour_are_matplotlibs(name: str) -> None:
    table = colour_map(name)
    assert table.shape == (256, 3) and table.dtype == np.uint8
    assert np.abs(table[[0, 128, 255]].astype(int) - ENDS[name]).max() <= (0 if name != "jet" else 3)


@EVERY_MAP
def test_neighbours_are_near_and_no_two_colours_are_the_same(name: str) -> None:
    table = colour_map(name).astype(int)
    assert np.abs(np.diff(table, axis=0)).max() <= 10
    # jet turns in its darkest blues so slowly that 8 bits hold some of them twice.
    assert len(np.unique(table, axis=0)) >= 250


@pytest.mark.parametrize("name", [name for name in NAMES if name != "jet"])
def test_maps_made_for_eyes_become_lighter_throughout(name: str) -> None:
    linear = (colour_map(name) / 255.0) ** 2.2
    lightness = linear @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > -2e-3).all()


@EVERY_MAP
@settings(max_examples=15)
@given(numbers=arrays.arrays(np.uint8, (6, 7)))
def test_painted_numbers_are_read_back(name: str, numbers: np.ndarray) -> None:
    colours = painted(numbers, name)
    found, blur = entries(colours, name)
    assert blur == 0
    np.testing.assert_array_equal(painted(found, name), colours)
    assert np.abs(found.astype(int) - numbers).max() <= 4, "five entries of jet are the same blue"


@EVERY_MAP
@settings(max_examples=8)
@given(seed=st.integers(0, 1000), noise=st.integers(1, 6))
def test_a_blurred_colour_is_near_its_number_and_says_how_far_it_lay(name: str, seed: int, noise: int) -> None:
    draw = np.random.default_rng(seed)
    numbers = draw.integers(0, 256, (12, 12), dtype=np.uint8)
    moved = (painted(numbers, name).astype(int) + draw.integers(-noise, noise + 1, (12, 12, 3))).clip(0, 255)
    found, blur = entries(moved.astype(np.uint8), name)
    assert np.median(np.abs(found.astype(int) - numbers)) <= 2 * noise
    assert blur <= noise * np.sqrt(3)


@EVERY_MAP
def test_the_entry_is_the_nearest_of_all_256(name: str) -> None:
    """Against a search of the whole table, for colours on the map and a little off it."""
    draw = np.random.default_rng(1)
    table = colour_map(name).astype(int)
    colours = (table[draw.integers(0, 256, 300)] + draw.integers(-4, 5, (300, 3))).clip(0, 255)
    found, _ = entries(colours.astype(np.uint8)[None], name)
    squares = ((colours[:, None] - table[None]) ** 2).sum(-1)
    chosen = squares[np.arange(300), found[0]]
    assert (chosen == squares.min(1)).mean() > 0.98


@EVERY_MAP
def test_a_picture_in_colours_of_a_map_is_known_as_such(name: str) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found, blur = likely(painted(ramp, name))
    assert (found, blur) == (name, 0)


def test_a_photograph_lies_far_from_every_map() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert likely(noise)[1] > 24


def test_an_unknown_map_names_those_there_are() -> None:
    with pytest.raises(
        BenchError, match="unknown colour map 'hot'; choose one of: inferno, jet, magma, plasma, viridis"
    ):
        colour_map("hot")
