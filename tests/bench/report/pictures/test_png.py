"""PNG files, as Pillow reads them."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.report.pictures.png import png, save_png


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


@pytest.mark.parametrize("options", [{}, {"optimize": True}])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_picture_is_written_byte_by_byte_as_pillow_does(tmp_path: Path, mode: str, options: dict) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 4), np.uint8)
    picture = Image.fromarray(noise).resize((300, 200), Image.Resampling.BICUBIC).convert(mode)
    content = io.BytesIO()
    picture.save(content, format="PNG", **options)
    save_png(picture, tmp_path / "made" / "picture.png", **options)
    assert (tmp_path / "made" / "picture.png").read_bytes() == content.getvalue()


def test_a_picture_goes_where_a_link_points(tmp_path: Path) -> None:
    target, link = tmp_path / "pictures" / "target.png", tmp_path / "picture.png"
    target.parent.mkdir()
    target.write_bytes(b"before")
    link.symlink_to(target)
    picture = Image.new("RGB", (8, 4), (10, 20, 30))
    save_png(picture, link)
    assert link.is_symlink()
    assert np.array_equal(np.asarray(Image.open(target)), np.asarray(picture))
    assert [path.name for path in target.parent.iterdir()] == ["target.png"]
