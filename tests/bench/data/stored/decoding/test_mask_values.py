"""What the values of a mask mean: declared numbers, or white on black, in every pixel format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.core.errors import BenchError
from bench.data.stored.decoding.mask_values import MaskValues, read_mask
from bench.data.stored.decoding.placement import Placement

SIDE = 16
LEVELS = st.lists(st.integers(0, 255), min_size=1, max_size=4, unique=True).map(tuple)
OBJECT = np.zeros((SIDE, SIDE), dtype=bool)
OBJECT[3:9, 5:14] = True


def read(image: Image.Image, foreground: str = "white", soft: bool = False, values: str | None = None, **how):
    window = Placement.of(*image.size, SIDE, how.get("fit", "crop"))
    declared = None if values is None else MaskValues.parse(values)
    return read_mask(image, window, foreground, soft, declared, how.get("lossy", False), how.get("known"))


@given(LEVELS, st.none() | LEVELS)
def test_declared_values_read_back_from_their_text(
    foreground: tuple[int, ...], unknown: tuple[int, ...] | None
) -> None:
    values = MaskValues(foreground, unknown or ())
    assert MaskValues.parse(str(values)) == values


@pytest.mark.parametrize(
    "text",
    [
        *("", "unknown=3", "fg", "fg=", "fg=a", "fg=1,", "fg=-1", "fg=1.5", "bg=0 fg=1", "fg=1 unknown=x", "fg:1"),
        *("fg=9-1", "fg=1-", "fg=-", "fg=#12345", "fg=#gggggg", "fg=1-#ffffff", "fg=#ffffff-#000001", "fg=\u0663"),
    ],
)
def test_what_declares_nothing_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BenchError, match=r"fg=255"):
        MaskValues.parse(text)


PICTURES = {
    "black and white": Image.fromarray(OBJECT * np.uint8(255)),
    "one bit": Image.fromarray(OBJECT),
    "classes 0 and 1": Image.fromarray(OBJECT * np.uint8(1)),
    "16 bits": Image.fromarray(OBJECT * np.uint16(65535)),
    "16-bit classes": Image.fromarray(OBJECT * np.uint16(1)),
    "floats": Image.fromarray(OBJECT.astype(np.float32)),
    "floats to 255": Image.fromarray(OBJECT * np.float32(255)),
    "floats to 65535": Image.fromarray(OBJECT * np.float32(65535)),
    "floats with holes": Image.fromarray(np.where(OBJECT, np.float32(1), np.float32(np.nan))),
    "more than 16 bits": Image.fromarray(OBJECT * np.int32(65536)),
    "32 bits": Image.fromarray(OBJECT * np.int32(65535)),
    "colours": Image.fromarray(np.repeat(OBJECT[..., None] * np.uint8(255), 3, -1)),
    "opaque with alpha": Image.fromarray(OBJECT * np.uint8(255)).convert("RGBA"),
    "a palette": Image.fromarray(OBJECT * np.uint8(255)).convert("P"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_one_object_is_found_in_every_pixel_format(kind: str) -> None:
    mask, known = read(PICTURES[kind])
    np.testing.assert_array_equal(mask, OBJECT * np.uint8(255))
    assert known is None


@pytest.mark.parametrize("kind", [kind for kind in PICTURES if "classes" not in kind])
def test_black_is_the_complement_of_white(kind: str) -> None:
    mask, _ = read(PICTURES[kind], foreground="black")
    np.testing.assert_array_equal(mask, ~OBJECT * np.uint8(255))


def test_alpha_is_the_object_whatever_its_colour() -> None:
    for colour in ((0, 0, 0), (255, 255, 255), (200, 10, 60)):
        pixels = np.zeros((SIDE, SIDE, 4), dtype=np.uint8)
        pixels[..., :3], pixels[..., 3] = colour, OBJECT * 255
        mask, _ = read(Image.fromarray(pixels), foreground="alpha")
        np.testing.assert_array_equal(mask, OBJECT * np.uint8(255))


def test_what_is_hidden_under_full_transparency_is_no_object() -> None:
    pixels = np.full((SIDE, SIDE, 4), 255, dtype=np.uint8)
    pixels[..., 3] = OBJECT * 255
    mask, _ = read(Image.fromarray(pixels))
    np.testing.assert_array_equal(mask, OBJECT * np.uint8(255))


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image.new("L", (8, 8), 255), r"without alpha channel \(pixel format 'L'\)"),
        (Image.new("RGBA", (8, 8), (1, 2, 3, 0)), "an empty alpha channel"),
        (Image.new("RGBA", (8, 8), (1, 2, 3, 255)), "opaque everywhere"),
        (Image.new("RGBA", (8, 8), (1, 2, 3, 9)), "opaque everywhere"),
    ],
)
def test_alpha_that_says_nothing_is_refused(image: Image.Image, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(image, foreground="alpha")


@given(st.integers(0, 255).filter(lambda level: level != 1))  # which would be numbers of two classes, not shades
def test_grey_stays_grey_on_request_and_else_is_white_from_a_half(level: int) -> None:
    image = Image.fromarray(np.full((SIDE, SIDE), level, dtype=np.uint8))
    assert (read(image, soft=True)[0] == level).all()
    assert (read(image)[0] == (255 if level >= 128 else 0)).all()


def test_a_lossy_mask_of_level_1_is_nearly_black_and_no_class() -> None:
    image = Image.fromarray(OBJECT * np.uint8(1))
    assert read(image)[0].any() and not read(image, lossy=True)[0].any()


def test_declared_values_of_a_trimap() -> None:
    numbers = np.full((SIDE, SIDE), 2, dtype=np.uint8)
    numbers[OBJECT], numbers[0] = 1, 3
    for image in (Image.fromarray(numbers), Image.fromarray(numbers.astype(np.uint16))):
        mask, known = read(image, values="fg=1 unknown=3")
        np.testing.assert_array_equal(mask, OBJECT * np.uint8(255))
        np.testing.assert_array_equal(known, numbers != 3)


def test_several_values_may_be_the_object_and_all_else_is_background() -> None:
    numbers = np.arange(256, dtype=np.uint8).reshape(SIDE, SIDE)
    mask, known = read(Image.fromarray(numbers), values="fg=7,9,200")
    assert sorted(numbers[mask > 0].tolist()) == [7, 9, 200]
    assert known.all()


@pytest.mark.parametrize("text", ["fg=1-254 unknown=0,255", "fg=3,7-9,#dc143c", "fg=#000001-#ffffff"])
def test_ranges_and_colours_read_back_from_their_text(text: str) -> None:
    assert str(MaskValues.parse(text)) == text


def test_a_range_covers_the_numbers_of_all_objects() -> None:
    numbers = (np.arange(SIDE * SIDE).reshape(SIDE, SIDE) * 300 % 65536).astype(np.uint16)
    mask, _ = read(Image.fromarray(numbers), values="fg=1000-40000")
    np.testing.assert_array_equal(mask > 0, (numbers >= 1000) & (numbers <= 40000))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_told_apart_whatever_their_brightness(mode: str) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    pixels[OBJECT], pixels[0], pixels[1] = (220, 20, 60), (255, 255, 0), (224, 224, 192)
    image = Image.fromarray(pixels).convert(mode, palette=Image.Palette.ADAPTIVE)
    mask, known = read(image, values="fg=#dc143c unknown=#e0e0c0")
    np.testing.assert_array_equal(mask, OBJECT * np.uint8(255))
    assert not known[1].any() and known[0].all() and known[2:].all()
    everything, _ = read(image, values="fg=#000001-#ffffff")
    np.testing.assert_array_equal(everything > 0, pixels.any(-1))


def test_blurred_colours_are_found_one_by_one_and_not_as_a_range() -> None:
    image = Image.new("RGB", (SIDE, SIDE), (212, 30, 60))
    assert read(image, values="fg=#dc143c", lossy=True)[0].all() and not read(image, values="fg=#dc143c")[0].any()
    with pytest.raises(ValueError, match="single ones"):
        read(image, values="fg=#000001-#ffffff", lossy=True)


@pytest.mark.parametrize("full", [1.0, 255.0, 65535.0])
def test_soft_floats_stay_soft(full: float) -> None:
    shades = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    image = Image.fromarray(shades * np.float32(full))
    np.testing.assert_allclose(read(image, soft=True)[0] / 255, shades, atol=0.003)
    np.testing.assert_array_equal(read(image)[0] > 0, np.rint(shades * 255) >= 128)


@pytest.mark.parametrize(("off", "found"), [(0, True), (16, True), (17, False)])
def test_jpeg_may_move_a_declared_value_by_16(off: int, found: bool) -> None:
    image = Image.fromarray(np.full((SIDE, SIDE), 200 + off, dtype=np.uint8))
    assert read(image, values="fg=200", lossy=True)[0].any() == found
    assert read(image, values="fg=200")[0].any() == (off == 0)


def test_beside_a_padded_picture_nothing_is_known() -> None:
    wide = Image.fromarray(np.full((8, 16), 255, dtype=np.uint8))
    for values in (None, "fg=255"):
        mask, known = read(wide, values=values, fit="pad")
        np.testing.assert_array_equal(known.any(1), np.isin(np.arange(SIDE), np.arange(4, 12)))
        np.testing.assert_array_equal(mask > 0, known > 0)


def test_of_four_pixels_the_known_ones_decide() -> None:
    """Where half of a place is unknown, it is unknown; where less is, the object needs half of what is known."""
    block = np.zeros((2 * SIDE, 2 * SIDE), dtype=np.uint8)
    block[::2], block[1::2] = 255, 85  # two of four unknown everywhere
    mask, known = read(Image.fromarray(block), values="fg=255 unknown=85")
    assert not known[2:-2, 2:-2].any() and not mask[2:-2, 2:-2].any()
    block[1::2, ::2] = 255  # one of four unknown
    mask, known = read(Image.fromarray(block), values="fg=255 unknown=85")
    assert known.all() and (mask == 255).all()


def test_an_object_needs_half_of_what_is_known_and_not_half_of_all() -> None:
    share = np.random.default_rng(0).random((40 * SIDE, 40 * SIDE))
    for objects, is_object in ((0.42, True), (0.2, False)):
        numbers = np.where(share < objects, 255, np.where(share < objects + 0.4, 85, 0)).astype(np.uint8)
        mask, known = read(Image.fromarray(numbers), values="fg=255 unknown=85")
        assert known.all()
        assert (mask > 0).all() == is_object and (mask > 0).any() == is_object


@pytest.mark.parametrize("under", [0, 255])
@pytest.mark.parametrize("how", [{}, {"soft": True}, {"values": "fg=255"}, {"fit": "pad"}], ids=str)
@pytest.mark.parametrize("finer", [1, 2], ids=["as fine", "finer"])
def test_what_lies_under_unknown_pixels_reaches_no_neighbour(under: int, how: dict[str, object], finer: int) -> None:
    """A mask three times as fine as its square; where it is known another file says, in any resolution."""
    whole = np.kron(OBJECT, np.ones((3, 3), dtype=bool))
    known = np.ones_like(whole)
    known[8:20, 14:17] = False  # a third or two of an element's columns
    pixels = np.where(known, whole * np.uint8(255), np.uint8(under))
    mask, where = read(Image.fromarray(pixels), known=np.kron(known, np.ones((finer, finer), dtype=bool)), **how)
    clean, _ = read(Image.fromarray(np.where(known, pixels, np.uint8(255 - under))), known=known, **how)
    np.testing.assert_array_equal(mask, clean)
    assert where is not None and 0 < (where == 0).sum() < 16
    assert not mask[where == 0].any()


@pytest.mark.parametrize("how", [{}, {"soft": True}, {"values": "fg=200-255"}], ids=str)
def test_a_mask_known_everywhere_is_as_without_a_file_that_says_so(how: dict[str, object]) -> None:
    pixels = Image.fromarray(np.random.default_rng(0).integers(0, 256, (37, 37), dtype=np.uint8))
    mask, where = read(pixels, known=np.ones((9, 9), dtype=bool), **how)
    np.testing.assert_array_equal(mask, read(pixels, **how)[0])
    assert where is not None and where.all()
