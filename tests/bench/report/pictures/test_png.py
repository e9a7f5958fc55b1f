"""PNG files, as Pillow reads them."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.report.pictures.png import png


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    kind=st.sampled_from([("L", np.uint8, ()), ("I;16", np.uint16, ()), ("RGB", np.uint8, (3,))]),
    seed=st.integers(0, 2**32 - 1),
)
def test_pillow_reads_what_was_written(height, width, kind, seed):
    mode, dtype, channels = kind
    shape = (height, width, *channels)
    values = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    with Image.open(io.BytesIO(png(values))) as image:
        assert image.size == (width, height)
        assert image.mode == mode
        image.load()  # checks the chunks' sums
        assert np.array_equal(np.asarray(image), values)


def test_a_view_is_written_as_it_looks():
    values = np.arange(24, dtype=np.uint16).reshape(4, 6)[::-1, ::2]
    with Image.open(io.BytesIO(png(values))) as image:
        assert np.array_equal(np.asarray(image), values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_smooth_images_take_less_than_half_of_their_pixels(dtype):
    rows, columns = np.mgrid[:200, :300]
    values = (rows + columns).astype(dtype)
    assert len(png(values)) < values.nbytes / 2
