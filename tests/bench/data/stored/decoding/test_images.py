"""Image files of every kind as upright Pillow images, and in red, green and blue."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bench.data.stored.decoding.images import BadFile, open_image, rgb

GREY = np.arange(0, 240, 5, dtype=np.uint8).reshape(6, 8)


def saved(image: Image.Image, format: str, **how) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **how)
    return file.getvalue()


@pytest.mark.parametrize(("orientation", "turn"), [(1, None), (2, "h"), (3, "180"), (4, "v"), (6, "270"), (8, "90")])
def test_exif_orientations_are_undone(orientation: int, turn: str | None) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = np.asarray(open_image(saved(Image.fromarray(GREY), "PNG", exif=exif)))
    wanted = {
        None: GREY,
        "h": GREY[:, ::-1],
        "v": GREY[::-1],
        "180": GREY[::-1, ::-1],
        "270": np.rot90(GREY, -1),
        "90": np.rot90(GREY),
    }[turn]
    np.testing.assert_array_equal(shown, wanted)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1", "CMYK", "YCbCr", "HSV", "LAB", "I;16", "I"])
def test_grey_of_any_pixel_format_is_that_grey_in_three_channels(mode: str) -> None:
    shades = np.where(GREY > 100, 255, 0).astype(np.uint8) if mode == "1" else GREY
    if mode == "I;16":
        image = Image.fromarray(shades.astype(np.uint16) << 8)
    elif mode == "I":
        image = Image.fromarray(shades.astype(np.int32) << 8)
    elif mode == "LAB":
        image = Image.merge("LAB", [Image.fromarray(shades), *(Image.new("L", (8, 6), 128) for _ in range(2))])
    else:
        image = Image.fromarray(shades).convert("RGB" if mode in ("CMYK", "YCbCr", "HSV") else "L").convert(mode)
    pixels = np.asarray(rgb(image)).astype(int)
    assert pixels.shape == (6, 8, 3)
    if mode == "LAB":  # a scale of its own: darker stays darker
        assert (np.diff(pixels[..., 1].ravel()) >= 0).all()
    else:
        assert np.abs(pixels - shades[..., None]).max() <= 1


def test_numbers_beyond_16_bits_are_white_and_below_0_black() -> None:
    image = Image.fromarray(np.array([[-5, 0, 65535, 10**6]], dtype=np.int32))
    assert np.asarray(rgb(image))[0, :, 0].tolist() == [0, 0, 255, 255]


def test_floats_are_no_photograph() -> None:
    with pytest.raises(BadFile, match="a photograph of pixel format 'F'"):
        rgb(Image.fromarray(np.ones((4, 4), dtype=np.float32)))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_files_cut_short_anywhere_are_refused_or_whole(format: str) -> None:
    draw = np.random.default_rng(0)
    content = saved(Image.fromarray(draw.integers(0, 256, (32, 32, 3), dtype=np.uint8)), format)
    for length in np.linspace(0, len(content) * 0.9, 12).astype(int):
        with pytest.raises(BadFile) as refused:
            open_image(content[:length])
        assert str(refused.value).strip()


def test_a_picture_over_pillows_limit_is_refused_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(Image.new("L", (40, 30)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1199)
    with pytest.raises(BadFile, match="too large: 40 x 30 pixels, more than Pillow's limit of 1,199"):
        open_image(content)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1200)
    assert open_image(content).size == (40, 30)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert open_image(content).size == (40, 30)


@pytest.mark.parametrize(("least", "size"), [(0, 256), (300, 256), (256, 256), (128, 128), (64, 64), (33, 64), (8, 32)])
def test_jpeg_is_decoded_as_small_as_is_enough(least: int, size: int) -> None:
    content = saved(Image.new("RGB", (256, 256), (90, 30, 200)), "JPEG", quality=95)
    image = open_image(content, least=least)
    assert image.size == (size, size)
    assert np.abs(np.asarray(image).astype(int) - (90, 30, 200)).max() <= 3


def test_only_brightness_on_request() -> None:
    content = saved(Image.new("RGB", (16, 16), (255, 0, 0)), "JPEG", quality=95)
    image = open_image(content, grey=True)
    assert image.mode == "L" and image.size == (16, 16)
    assert abs(int(np.asarray(image)[4, 4]) - 76) <= 2  # .299 of 255
