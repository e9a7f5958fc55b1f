from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.depth_units import DEPTH_UNITS, DepthFacts, DepthUnit, depth_unit, doubt, for_type, guess, scaled
from bench.data.images.colour_maps import NAMES, colour_map, entries, likely, painted


def metres(kind: str, known: float = 1.0, seed: int = 0) -> np.ndarray:
    """Depths of a scene as people record it."""
    draw = np.random.default_rng(seed)
    spread = {"room": (1.0, 4.5), "desk": (0.6, 3.0), "street": (4.0, 60.0)}[kind]
    depths = np.exp(draw.uniform(*np.log(spread), (40, 50)))
    return np.where(draw.uniform(size=depths.shape) < known, depths, 0)


def facts(numbers: np.ndarray) -> DepthFacts:
    return DepthFacts.of([numbers], "f4" if numbers.dtype.kind == "f" else f"u{numbers.dtype.itemsize}")


@pytest.mark.parametrize(("unit", "per_metre"), [("mm", 1000), ("kitti", 256), ("tum", 5000), ("m", 1)])
@given(metre=st.floats(0.01, 9.9))
def test_metres_come_back(unit: str, per_metre: float, metre: float) -> None:
    read = DEPTH_UNITS[unit].read(np.array([[metre * per_metre, 0.0, np.nan, 1e9]], dtype=np.float32))
    full = 80 if unit == "kitti" else 10
    assert read[0, 0] == pytest.approx(metre / full, rel=1e-5)
    assert read[0, 1:].tolist() == [-1, -1, -1]
    assert DEPTH_UNITS[unit].encoding == f"metric, 1.0 = {full} m"


def test_ranges_and_scales_of_ones_own() -> None:
    unit = scaled(256, 0.5, 80)
    read = unit.read(np.array([[0, 100, 256, 80 * 256, 81 * 256]], dtype=np.uint16))
    assert read[0].tolist() == [-1, -1, pytest.approx(1 / 80), 1, -1]
    assert unit.encoding == depth_unit("mm").over(0, 80).encoding == "metric, 1.0 = 80 m"
    for wrong in (lambda: scaled(0), lambda: scaled(10, 3, 2), lambda: depth_unit("feet")):
        with pytest.raises(BenchError):
            wrong()


@pytest.mark.parametrize(
    ("scene", "known", "per_metre", "dtype", "unit"),
    [
        ("room", 0.8, 1000, np.uint16, "mm"),
        ("desk", 0.7, 5000, np.uint16, "tum"),
        ("street", 0.15, 256, np.uint16, "kitti"),
        ("room", 1.0, 1, np.float32, "m"),
        ("room", 1.0, 1000, np.float32, "mm"),
    ],
)
def test_the_unit_is_guessed_from_the_numbers(scene: str, known: float, per_metre: float, dtype, unit: str) -> None:
    found = facts((metres(scene, known) * per_metre).astype(dtype))
    assert guess(found).name == unit
    assert (doubt(found, DEPTH_UNITS[unit], guessed=False)) is None
    assert (doubt(found, DEPTH_UNITS[unit], guessed=True) is not None) == (known < 0.5)


def test_guesses_of_other_kinds() -> None:
    assert guess(DepthFacts("rgb", 1, (1, 2, 3, 4, 5))).name == "colormap"
    assert guess(facts(np.arange(256, dtype=np.uint8)[None])).name == "8bit"
    assert guess(facts(np.linspace(0, 1, 50, dtype=np.float32)[None])).name == "unit"


@pytest.mark.parametrize(
    ("scene", "known", "written", "read", "likely_unit"),
    [
        ("desk", 0.2, "kitti", "mm", "kitti"),  # 0.15 to 0.77 m
        ("desk", 0.7, "tum", "mm", "tum"),
        ("room", 0.8, "mm", "tum", "mm"),
        ("room", 0.8, "mm", "m", "mm"),
    ],
)
def test_a_wrong_unit_is_doubted_with_the_likely_one(scene, known, written, read, likely_unit) -> None:
    scale = DEPTH_UNITS[written].per_metre
    found = facts((metres(scene, known) * scale * (2.2 if written == "kitti" else 1)).astype(np.uint16))
    warning = doubt(found, DEPTH_UNITS[read], guessed=False)
    assert warning is not None
    assert f"{likely_unit} is likely" in warning


@pytest.mark.parametrize("unit", ["m", "mm"])
def test_a_declared_range_says_that_it_is_no_room(unit: str) -> None:
    """A street in floats: implausible of a room's 10 m, and what was meant with a range of 80."""
    scale = DEPTH_UNITS[unit].per_metre
    assert scale is not None
    found = facts((np.linspace(3, 60, 2000) * scale).astype(np.float32)[None])
    assert doubt(found, DEPTH_UNITS[unit], guessed=False) is not None
    assert doubt(found, DEPTH_UNITS[unit].over(0, 80), guessed=False) is None
    assert doubt(found, DEPTH_UNITS[unit].over(0, 20), guessed=False) is not None


def test_kitti_read_as_millimetres() -> None:
    """Between 0.34 and 1.91 m, the whole street."""
    numbers = np.linspace(340, 1910, 2000).astype(np.uint16)[None]
    warning = doubt(facts(numbers), DEPTH_UNITS["mm"], guessed=False)
    assert warning is not None
    assert "kitti is likely" in warning


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
@pytest.mark.parametrize("unit", [*(DEPTH_UNITS[name] for name in ("mm", "kitti", "tum")), scaled(1000)])
def test_the_greatest_number_of_16_bits_is_no_distance_in_any_range(unit: DepthUnit, dtype) -> None:
    far = unit.over(0, 1000).read(np.array([[1000, 65534, 65535]], dtype=dtype))
    assert (far >= 0).tolist() == [[True, True, False]]


def test_of_a_map_or_of_floats_it_is_a_number_like_any_other() -> None:
    assert DEPTH_UNITS["16bit"].read(np.array([[65535]], dtype=np.uint16)).tolist() == [[1.0]]
    assert DEPTH_UNITS["m"].over(0, 1e5).read(np.array([[65535.0]], dtype=np.float32))[0, 0] > 0


@pytest.mark.parametrize("share", [0.05, 0.6])
@pytest.mark.parametrize(
    ("unit", "numbers", "nothing"),
    [
        ("mm", metres("room") * 1000, np.uint16(65535)),
        ("mm", metres("room") * 1000, np.int32(2**31 - 1)),
        ("m", metres("room"), np.float32(1e10)),
        ("m", metres("room"), np.float32(np.inf)),
    ],
)
def test_what_stands_for_nothing_makes_no_unit_doubtful(unit: str, numbers, nothing, share: float) -> None:
    holes = np.random.default_rng(1).uniform(size=numbers.shape) < share
    found = facts(np.where(holes, nothing, numbers.astype(nothing.dtype)))
    assert found.known == pytest.approx(1 - share, abs=0.05)
    assert doubt(found, DEPTH_UNITS[unit], guessed=False) is None
    assert guess(found).name == unit


def test_inverse_depth_is_of_its_type() -> None:
    unit = depth_unit("inverse")
    assert for_type(unit, DepthFacts("u1", 1, (1,) * 5)).read(np.array([[0, 255]], dtype=np.uint8)).tolist() == [[0, 1]]
    assert for_type(unit, DepthFacts("u2", 1, (1,) * 5)).full == 65535
    with pytest.raises(BenchError, match="depth-range"):
        for_type(unit, DepthFacts("f4", 1, (1,) * 5))
    assert "nearest" in unit.encoding


@pytest.mark.parametrize("name", NAMES)
def test_colours_become_numbers_again(name: str) -> None:
    y, x = np.mgrid[0:64, 0:64]
    numbers = ((x * 2 + y * 2) % 256).astype(np.uint8)
    read, blur = entries(painted(numbers, name), name)
    assert blur == 0
    assert (painted(read, name) == painted(numbers, name)).all()
    assert np.abs(read.astype(int) - numbers).max() <= 4, "jet has colours twice"
    noisy = np.clip(painted(numbers, name) + np.random.default_rng(0).normal(0, 4, (64, 64, 3)), 0, 255).astype(
        np.uint8
    )
    again, blur = entries(noisy, name)
    assert 2 < blur < 12
    assert np.median(np.abs(again.astype(int) - numbers)) <= 3
    assert likely(noisy)[0] == name


def test_colour_maps_by_their_ends() -> None:
    """Matplotlib's own first and last entries."""
    ends = {
        "viridis": ((68, 1, 84), (253, 231, 37)),
        "plasma": ((13, 8, 135), (240, 249, 33)),
        "magma": ((0, 0, 4), (252, 253, 191)),
    }
    ends |= {"inferno": ((0, 0, 4), (252, 255, 164)), "jet": ((0, 0, 128), (128, 0, 0))}
    for name, (first, last) in ends.items():
        assert tuple(colour_map(name)[0].tolist()) == pytest.approx(first, abs=1)
        assert tuple(colour_map(name)[255].tolist()) == pytest.approx(last, abs=1)
    with pytest.raises(BenchError, match="inferno, jet"):
        colour_map("hot")
