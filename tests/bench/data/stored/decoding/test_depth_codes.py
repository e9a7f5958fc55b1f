"""Depths as integers and back: exact at the ends, within half a level between, holes where they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.data.stored.decoding.depth_codes import CODES, decode_depth, encode_depth

DEPTHS = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.floats(0, 1, width=32)
)
HOLES = arrays.arrays(np.bool_, (8, 8))


@given(DEPTHS)
def test_8_bits_are_within_half_a_level_and_known_everywhere(depths: np.ndarray) -> None:
    codes = encode_depth(depths, np.dtype(np.uint8))
    values, known = decode_depth(codes)
    assert codes.dtype == np.uint8 and known.all()
    assert np.abs(values - depths).max() <= 0.5 / 255 + 1e-7


@given(DEPTHS, HOLES)
def test_16_bits_are_within_half_a_level_and_keep_holes(depths: np.ndarray, holes: np.ndarray) -> None:
    holes = holes[: depths.shape[0], : depths.shape[1]]
    stored = np.where(holes, np.float32(-1), depths)
    codes = encode_depth(stored, np.dtype(np.uint16))
    values, known = decode_depth(codes)
    np.testing.assert_array_equal(known, (~holes).astype(np.float32))
    assert not values[holes].any()
    if (~holes).any():
        assert np.abs(values - depths)[~holes].max() <= 0.5 / CODES + 1e-7


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_code_is_its_own_depth(dtype: type) -> None:
    codes = np.arange(1 if dtype == np.uint16 else 0, np.iinfo(dtype).max + 1).astype(dtype)[None]
    values, _ = decode_depth(codes)
    np.testing.assert_array_equal(encode_depth(values, np.dtype(dtype)), codes)
    assert values.min() == 0 and values.max() == 1 and (np.diff(values) > 0).all()


@given(DEPTHS)
def test_order_is_kept(depths: np.ndarray) -> None:
    line = np.sort(depths.ravel())[None]
    for dtype in (np.uint8, np.uint16):
        assert (np.diff(decode_depth(encode_depth(line, np.dtype(dtype)))[0]) >= 0).all()
