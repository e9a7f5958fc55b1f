"""Depth files as the numbers they hold: what every format gives back, and what is refused with which reason."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from bench.data.stored.decoding.images import BadFile
from bench.data.stored.decoding.numbers import colours_of, numbers_of

FLOATS = st.floats(-1e4, 1e4, width=32)
SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


def npy(numbers: np.ndarray, **how: bool) -> bytes:
    file = io.BytesIO()
    np.save(file, numbers, **how)
    return file.getvalue()


def pfm(numbers: np.ndarray, order: str = "<", kind: bytes = b"Pf") -> bytes:
    """Rows from the bottom up, in the byte order that the sign of the scale states."""
    height, width = numbers.shape
    head = kind + f"\n{width} {height}\n{'-1.0' if order == '<' else '1.0'}\n".encode()
    return head + numbers[::-1].astype(f"{order}f4").tobytes()


def saved(image: Image.Image, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


@settings(max_examples=30)
@given(arrays.arrays(np.float32, SHAPES, elements=FLOATS), st.sampled_from("<>"))
def test_pfm_gives_back_every_number_the_right_way_up(numbers: np.ndarray, order: str) -> None:
    np.testing.assert_array_equal(numbers_of(pfm(numbers, order), "x.PFM"), numbers)


KINDS = st.sampled_from([np.uint8, np.uint16, np.int32, np.float16, np.float64, np.bool_])


@settings(max_examples=30)
@given(arrays.arrays(KINDS, SHAPES))
def test_npy_gives_back_every_number_of_any_type(numbers: np.ndarray) -> None:
    found = numbers_of(npy(numbers), "depth.npy")
    np.testing.assert_array_equal(found, numbers)
    assert found.dtype == numbers.dtype


def test_npy_with_an_axis_of_channels_or_images_is_still_one_map() -> None:
    numbers = np.arange(12.0).reshape(3, 4)
    for whole in (numbers[None], numbers[..., None], numbers[None, None], numbers[None, ..., None]):
        np.testing.assert_array_equal(numbers_of(npy(whole), "depth.npy"), numbers)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.int32])
def test_pictures_of_grey_give_back_their_own_numbers(kind: type) -> None:
    numbers = (np.arange(63).reshape(7, 9) * (4 if kind == np.uint8 else 900)).astype(kind)
    content = saved(Image.fromarray(numbers), "TIFF" if kind in (np.float32, np.int32) else "PNG")
    np.testing.assert_array_equal(numbers_of(content, "depth.png"), numbers)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_grey_in_a_format_of_colours_is_grey(mode: str) -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    np.testing.assert_array_equal(numbers_of(saved(Image.fromarray(grey).convert(mode)), "x.png"), grey)


def test_one_bit_is_black_or_white() -> None:
    bits = np.eye(5, dtype=bool)
    np.testing.assert_array_equal(numbers_of(saved(Image.fromarray(bits)), "x.png"), bits * np.uint8(255))


COLOURS = np.dstack([np.full((4, 4), value, dtype=np.uint8) for value in (10, 90, 200)])
REFUSED = {
    "colours": (saved(Image.fromarray(COLOURS)), "x.png", "in colours; say so: --depth-unit colormap"),
    "print colours": (saved(Image.fromarray(COLOURS).convert("CMYK"), "TIFF"), "x.tif", "pixel format 'CMYK'"),
    "nothing": (b"", "x.png", "empty file"),
    "no picture": (b"depth", "x.png", "not an image that Pillow can read"),
    "no npy": (b"depth", "x.npy", "cannot be read as npy"),
    "cut npy": (npy(np.ones((8, 8)))[:-9], "x.npy", "cannot be read as npy"),
    "words": (npy(np.array([["a", "b"]])), "x.npy", "without numbers"),
    "complex numbers": (npy(np.ones((2, 2), dtype=complex)), "x.npy", "without numbers"),
    "objects": (npy(np.array([[None]]), allow_pickle=True), "x.npy", "cannot be read as npy"),
    "a line": (npy(np.ones(7)), "x.npy", r"shape \(7,\), not height x width"),
    "several maps": (npy(np.ones((2, 4, 4))), "x.npy", r"shape \(2, 4, 4\), not height x width"),
    "colour pfm": (pfm(np.ones((2, 2)), kind=b"PF"), "x.pfm", "more than one channel"),
    "cut pfm": (pfm(np.ones((3, 3)))[:-1], "x.pfm", "cut short"),
    "pfm without a size": (b"Pf\n3\n-1\n" + bytes(36), "x.pfm", "cannot be read as pfm"),
    "pfm without lines": (b"Pf", "x.pfm", "cannot be read as pfm"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_holds_no_numbers_is_refused_with_the_reason(case: str) -> None:
    content, name, reason = REFUSED[case]
    with pytest.raises(BadFile, match=reason):
        numbers_of(content, name)


def test_a_picture_counts_as_coloured_by_most_of_its_pixels() -> None:
    grey = np.full((8, 8, 3), 120, dtype=np.uint8)
    few, most = grey.copy(), grey.copy()
    few[:3], most[:5] = (200, 10, 10), (200, 10, 10)
    assert colours_of(saved(Image.fromarray(grey))) is None
    assert colours_of(saved(Image.fromarray(few))) is None
    np.testing.assert_array_equal(colours_of(saved(Image.fromarray(most))), most)
    assert colours_of(saved(Image.fromarray(grey[..., 0]))) is None, "of a grey format"
    nearly = grey.copy()
    nearly[..., 0] += 8
    assert colours_of(saved(Image.fromarray(nearly))) is None, "a tint of 8 of 255 is none"
    nearly[..., 0] += 1
    assert colours_of(saved(Image.fromarray(nearly))) is not None
