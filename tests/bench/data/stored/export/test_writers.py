"""What each layout writes: names that are apart and read back by its own patterns, and what becomes of depth."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.core.errors import BenchError
from bench.data.images.colour_maps import entries
from bench.data.stored.export.writers import WRITERS, Place, encode, find_writer
from bench.data.stored.naming.layouts import LAYOUTS
from bench.data.stored.naming.patterns import normal

PLACES = st.builds(Place, bg=st.integers(1, 100), fg=st.integers(1, 100), n=st.integers(1, 40))
METRIC = "metric, 1.0 = 10 m"
EVERY_LAYOUT = pytest.mark.parametrize("layout", WRITERS)


@EVERY_LAYOUT
@settings(max_examples=30)
@given(places=st.lists(PLACES, unique=True, min_size=2, max_size=12))
def test_no_two_quartets_share_a_name(layout: str, places: list[Place]) -> None:
    names = [name for place in places for name in WRITERS[layout].names(place).values()]
    assert len(set(map(str.lower, names))) == len(names)
    backgrounds = {place.bg: WRITERS[layout].background(place.bg).lower() for place in places}
    assert len(set(backgrounds.values())) == len(backgrounds)


@EVERY_LAYOUT
@settings(max_examples=30)
@given(place=PLACES)
def test_the_layouts_own_patterns_read_the_names(layout: str, place: Place) -> None:
    """Every field by its own pattern, and the picture's ids mean the background and the object."""
    known = LAYOUTS[layout]
    for field, name in WRITERS[layout].names(place).items():
        path = PurePosixPath(name)
        stem = str(path.with_suffix("")).lower()
        takes = next(made for made in known.patterns if made.parse(stem, path.suffix) is not None)
        assert takes.field == field
        if field == "bg_fg":
            parsed = takes.parse(stem, path.suffix)
            assert parsed is not None
            ids = {key: normal(value) for key, value in parsed[1].items()}
            assert known.meaning(ids)[:2] == (str(place.bg), str(place.fg))


def test_backgrounds_without_numbers_are_counted_off_in_alphabetical_order() -> None:
    names = [WRITERS["002"].background(number) for number in (*range(1, 60), 26**2, 26**3, 26**3 + 1)]
    assert names == sorted(names)
    assert not any(letter.isdigit() for name in names for letter in name)
    assert [layout for layout in WRITERS if not any(map(str.isdigit, WRITERS[layout].background(7)))] == ["002"]


@pytest.mark.parametrize(
    ("place", "refused"),
    [
        (Place(1, 1, 1), False),
        (Place(100, 9, 40), False),
        (Place(101, 1, 1), True),
        (Place(1, 1, 41), True),
    ],
)
def test_layout_000_has_so_many_numbers_and_no_more(place: Place, refused: bool) -> None:
    if refused:
        with pytest.raises(BenchError, match="layout 000 has numbers for 100 backgrounds, and for 40 quartets"):
            WRITERS["000"].check(place, "000")
    else:
        WRITERS["000"].check(place, "000")
    for layout in set(WRITERS) - {"000"}:
        WRITERS[layout].check(place, layout)


def test_an_unknown_layout_names_those_that_can_be_written() -> None:
    with pytest.raises(BenchError, match="no layout 'kitti' can be written; known: 000, 001, 002, 003, 004, pairs"):
        find_writer("kitti")
    assert find_writer("pairs") is WRITERS["pairs"]


def depths() -> tuple[np.ndarray, np.ndarray]:
    depth = np.linspace(0.2, 0.6, 32 * 32, dtype=np.float32).reshape(32, 32)
    known = np.ones((32, 32), dtype=bool)
    known[:5, :7] = False
    return depth, known


@pytest.mark.parametrize("layout", ["003", "004"])
def test_plain_depth_is_in_255ths(layout: str) -> None:
    depth, known = depths()
    levels = WRITERS[layout].depth(depth, known, METRIC)
    assert levels.dtype == np.uint8 and not levels[~known].any()
    assert np.abs(levels[known] / 255 - depth[known]).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("layout", ["000", "002"])
def test_stretched_depth_runs_from_0_to_255_in_every_image(layout: str) -> None:
    depth, known = depths()
    levels = WRITERS[layout].depth(depth, known, METRIC)
    low, high = depth[known].min(), depth[known].max()
    assert (levels[known].min(), levels[known].max()) == (0, 255)
    assert np.abs(levels[known] / 255 - (depth[known] - low) / (high - low)).max() <= 0.5 / 255 + 1e-5
    flat = WRITERS[layout].depth(np.full((4, 4), 0.3, dtype=np.float32), np.ones((4, 4), dtype=bool), METRIC)
    assert not flat.any(), "of a flat wall"
    nothing = WRITERS[layout].depth(depth, np.zeros_like(known), METRIC)
    assert nothing.dtype == np.uint8 and not nothing.any()


def test_coloured_depth_is_read_back_to_its_level() -> None:
    depth, known = depths()
    colours = WRITERS["001"].depth(depth, known, METRIC)
    levels, blur = entries(colours, "plasma")
    assert blur == 0
    assert np.abs(levels[known].astype(int) - np.rint(depth[known] * 255)).max() == 0


@pytest.mark.parametrize(("encoding", "full"), [(METRIC, 10_000), ("metric, 1.0 = 2.5 m", 2500)])
def test_metric_depth_is_in_millimetres_where_nothing_may_be_lost(encoding: str, full: int) -> None:
    depth, known = np.array([[0.1, 1.0, 0.5]], dtype=np.float32), np.array([[True, True, False]])
    numbers = WRITERS["pairs"].depth(depth, known, encoding)
    assert numbers.dtype == np.uint16
    assert numbers[0].tolist() == [full // 10, full, 0]


def test_what_is_too_far_for_16_bits_of_millimetres_is_unknown_and_no_nearer() -> None:
    depth = np.array([[0.5, 0.8191, 0.82, 1.0]], dtype=np.float32)  # 40, 65.528, 65.6 and 80 m
    numbers = WRITERS["pairs"].depth(depth, np.ones((1, 4), dtype=bool), "metric, 1.0 = 80 m")
    assert numbers[0].tolist() == [40_000, 65_528, 0, 0]


@pytest.mark.parametrize("encoding", ["8-bit map, 1.0 = 255, greater is farther", "relative, 1.0 = 1", "metric"])
def test_depth_without_a_unit_stays_in_255ths(encoding: str) -> None:
    depth, known = depths()
    assert WRITERS["pairs"].depth(depth, known, encoding).dtype == np.uint8


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_png_loses_nothing(kind: type) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (9, 12), endpoint=True).astype(kind)
    again = np.asarray(Image.open(io.BytesIO(encode(pixels, "x.png", 1))))
    np.testing.assert_array_equal(again, pixels)


@pytest.mark.parametrize("name", ["x.jpg", "x.jpeg"])
def test_jpeg_loses_more_the_lower_its_quality(name: str) -> None:
    ramp = np.add.outer(np.arange(32), np.arange(32))
    pixels = np.stack([ramp * 4, 255 - ramp * 4, ramp], -1).clip(0, 255).astype(np.uint8)
    files = [encode(pixels, name, quality) for quality in (30, 95)]
    errors = [np.abs(np.asarray(Image.open(io.BytesIO(file))).astype(int) - pixels).mean() for file in files]
    assert errors[1] < errors[0] < 20
    assert len(files[0]) < len(files[1])
