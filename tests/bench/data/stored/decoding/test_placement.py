"""Pictures made square: where each pixel goes, for any size and each of the three ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.core.errors import BenchError
from bench.data.stored.decoding.placement import FITS, Placement

SIDES = st.integers(1, 40)
SQUARES = st.sampled_from([1, 8, 16, 24])
EVERY_FIT = pytest.mark.parametrize("fit", FITS)


def numbered(width: int, height: int) -> np.ndarray:
    """Every pixel says where it is."""
    return np.arange(1, width * height + 1).reshape(height, width)


@EVERY_FIT
@settings(max_examples=30)
@given(width=SIDES, height=SIDES, size=SQUARES)
def test_what_is_picked_is_a_pixel_of_the_picture_in_its_order(fit: str, width: int, height: int, size: int) -> None:
    placement, whole = Placement.of(width, height, size, fit), numbered(width, height)
    square, inside = placement.pick(whole), placement.inside()
    assert square.shape == inside.shape == (size, size)
    assert (square[~inside] == 0).all()
    assert np.isin(square[inside], whole).all()
    for axis in (0, 1):
        lines = square[inside].reshape(inside.any(1).sum(), -1)
        assert (np.diff(lines, axis=axis) >= 0).all(), "left stays left, and up stays up"


@EVERY_FIT
@settings(max_examples=30)
@given(width=SIDES, height=SIDES, size=SQUARES)
def test_a_mirrored_picture_is_shown_mirrored_within_a_pixel(fit: str, width: int, height: int, size: int) -> None:
    placement = Placement.of(width, height, size, fit)
    columns, rows = np.broadcast_to(np.arange(width), (height, width)), np.arange(height)[:, None].repeat(width, 1)
    line, column = placement.inside().any(1), placement.inside().any(0)
    shown, mirrored = (placement.pick(some)[line][0, column] for some in (columns, columns[:, ::-1]))
    assert np.abs(mirrored[::-1] - shown).max() <= 1
    shown, turned = (placement.pick(some)[line][:, column.argmax()] for some in (rows, rows[::-1]))
    assert np.abs(turned[::-1] - shown).max() <= 1
    assert shown[len(shown) // 2] == pytest.approx(height / 2, abs=1 + height / len(shown))


@settings(max_examples=30)
@given(side=SIDES, size=SQUARES)
def test_of_a_square_all_ways_show_the_same(side: int, size: int) -> None:
    placements = {Placement.of(side, side, size, fit) for fit in FITS}
    assert len(placements) == 1
    (placement,) = placements
    assert placement.fills and placement.inside().all()


@pytest.mark.parametrize(
    ("width", "height", "fit", "box", "place"),
    [
        (20, 10, "crop", (5, 0, 15, 10), (0, 0, 8, 8)),
        (10, 20, "crop", (0, 5, 10, 15), (0, 0, 8, 8)),
        (21, 10, "crop", (5, 0, 15, 10), (0, 0, 8, 8)),
        (20, 10, "pad", (0, 0, 20, 10), (0, 2, 8, 6)),
        (10, 20, "pad", (0, 0, 10, 20), (2, 0, 6, 8)),
        (1000, 1, "pad", (0, 0, 1000, 1), (0, 3, 8, 4)),
        (20, 10, "stretch", (0, 0, 20, 10), (0, 0, 8, 8)),
        (1, 1, "crop", (0, 0, 1, 1), (0, 0, 8, 8)),
    ],
)
def test_windows_worked_out_by_hand(width: int, height: int, fit: str, box: tuple, place: tuple) -> None:
    assert Placement.of(width, height, 8, fit) == Placement(box, place, 8)


def test_the_share_of_a_padded_picture_is_its_aspect() -> None:
    for width, height in ((40, 10), (10, 40), (30, 20)):
        placement = Placement.of(width, height, 64, "pad")
        assert placement.inside().mean() == pytest.approx(min(width, height) / max(width, height), abs=1 / 64)
        assert not placement.fills


@EVERY_FIT
def test_a_uniform_picture_is_averaged_to_itself_with_black_beside_it(fit: str) -> None:
    placement = Placement.of(30, 12, 16, fit)
    for mode, colour in (("L", 77), ("RGB", (10, 20, 30))):
        shown = placement.average(Image.new(mode, (30, 12), colour))
        assert (shown[placement.inside()] == colour).all()
        assert not shown[~placement.inside()].any()


def test_an_average_halves_as_means_of_neighbours_do() -> None:
    checks = (np.indices((16, 16)).sum(0) % 2 * 200).astype(np.uint8)
    assert (Placement.of(16, 16, 8, "crop").average(Image.fromarray(checks))[1:-1, 1:-1] == 100).all()


def test_an_unknown_way_names_those_there_are() -> None:
    with pytest.raises(BenchError, match="unknown fit 'zoom'; known: crop, pad, stretch"):
        Placement.of(4, 4, 8, "zoom")
