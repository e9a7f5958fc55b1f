"""Masks that hold classes are told from those that are black and white, whatever they were saved as."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from bench.data.stored.decoding.fields import DecodeOptions
from bench.data.stored.decoding.mask_doubt import doubt_masks
from bench.data.stored.decoding.mask_values import MaskValues
from bench.data.stored.files.roots import Roots

SIDE = 40
OBJECT = np.zeros((SIDE, SIDE), dtype=np.uint8)
OBJECT[8:30, 10:25] = 1
RIM = np.zeros_like(OBJECT)
RIM[:4] = 1
COLOURS = [0, 0, 0, 128, 0, 0, 0, 128, 0]


def numbered(image: Image.Image, palette: list[int]) -> Image.Image:
    image = Image.fromarray(np.asarray(image), mode="P")
    image.putpalette(palette)
    return image


def of(**values: int) -> Image.Image:
    return Image.fromarray(OBJECT * np.uint8(values["object"]) + RIM * np.uint8(values.get("rim", 0)))


def through_jpeg(image: Image.Image) -> Image.Image:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=60)
    return Image.open(content).convert("L")


def with_alpha(colour: tuple[int, ...], mode: str = "RGBA") -> Image.Image:
    pixels = np.zeros((SIDE, SIDE, 4), dtype=np.uint8)
    pixels[..., :3], pixels[..., 3] = colour, OBJECT * 255
    return Image.fromarray(pixels).convert(mode)


def painted(*colours: tuple[int, int, int], mode: str = "RGB") -> Image.Image:
    """The object of the first colour, a rim of the second."""
    pixels = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    for place, colour in zip((OBJECT, RIM), colours, strict=False):
        pixels[place > 0] = colour
    return Image.fromarray(pixels).convert(mode)


FINE = {
    "black and white": of(object=255),
    "0 and 1": of(object=1),
    "nearly white": of(object=250),
    "bits": of(object=255).convert("1"),
    "16 bits": Image.fromarray(OBJECT.astype(np.uint16) * 65535),
    "white of a palette": of(object=255).convert("P"),
    "0 and 1 of a grey palette": numbered(of(object=1), [0, 0, 0, 255, 255, 255]),
    "a soft rim": of(object=255).filter(ImageFilter.GaussianBlur(1)),
    "enlarged": of(object=255).resize((4 * SIDE, 4 * SIDE), Image.Resampling.BILINEAR),
    "once a JPEG": through_jpeg(of(object=255)),
    "colours": of(object=255).convert("RGB"),
    "nothing": of(object=0),
    "floats from 0 to 1": Image.fromarray(OBJECT.astype(np.float32)),
    "soft floats": Image.fromarray(np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)),
    "from dark to light": of(object=235 - 16, rim=0).point(lambda value: value + 16),
    "opaque": of(object=255).convert("RGBA"),
    "white with alpha": with_alpha((255, 255, 255)),
    "a soft rim and a faint shadow": Image.fromarray(
        np.repeat([0] * 4 + [1] * 4 + [*range(1, 255, 5)] + [255] * 8, 1)[None].repeat(9, 0).astype(np.uint8)
    ),
    "many shades": Image.fromarray(np.repeat(np.arange(0, 240, 6, dtype=np.uint8), 4)[None].repeat(9, 0)),
}
DOUBTED = {
    "a class": (of(object=2), "fg=2'"),
    "classes": (of(object=2, rim=7), "fg=2,7'"),
    "an unknown rim": (of(object=1, rim=255), "fg=1 unknown=255'"),
    "a trimap": (of(object=1, rim=3), "fg=1,3'"),
    "half known": (of(object=255, rim=128), "fg=128 unknown=255'"),
    "a dark grey": (of(object=100), "fg=100'"),
    "a middle grey": (of(object=128), "fg=128'"),
    "a light grey": (of(object=200), "fg=200'"),
    "a middle grey in colours": (of(object=128).convert("RGB"), "fg=128'"),
    "half of 16 bits": (Image.fromarray(OBJECT.astype(np.uint16) * 32768), "fg=32768'"),
    "classes as floats": (Image.fromarray((OBJECT * 2 + RIM * 7).astype(np.float32)), "fg=2,7'"),
    "one of a palette": (numbered(of(object=1), COLOURS), "fg=1'"),
    "two of a palette": (numbered(of(object=1, rim=2), COLOURS), "fg=1,2'"),
    "16 bits": (Image.fromarray(OBJECT.astype(np.uint16) * 7 + RIM.astype(np.uint16) * 300), "fg=7,300'"),
    "255 of 16 bits": (Image.fromarray(OBJECT.astype(np.uint16) * 255), "fg=255'"),
}


def doubt(folder: Path, image: Image.Image, **options: object) -> str:
    image.save(folder / ("mask.tif" if image.mode == "F" else "mask.png"))
    roots = Roots.open([folder])
    return doubt_masks(roots, roots.files, DecodeOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FINE)
def test_black_and_white_is_not_doubted(tmp_path: Path, name: str) -> None:
    assert doubt(tmp_path, FINE[name]) == ""


@pytest.mark.parametrize("name", DOUBTED)
def test_classes_are_doubted_and_the_option_named(tmp_path: Path, name: str) -> None:
    image, advice = DOUBTED[name]
    text = doubt(tmp_path, image)
    assert advice in text
    assert MaskValues.parse(text.split("'")[-2]).foreground
    declared = MaskValues.parse(text.split("'")[-2])
    for option in ({"values": declared}, {"soft": True}, {"foreground": "alpha"}):
        assert doubt(tmp_path, image, **option) == "", "declared already"


def test_a_broken_mask_is_no_doubt(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    roots = Roots.open([tmp_path])
    assert doubt_masks(roots, roots.files, DecodeOptions()) == ""


@pytest.mark.parametrize(("level", "is_doubted"), [(0, False), (100, True), (128, True), (240, False), (255, False)])
def test_a_lossy_mask_is_doubted_where_its_object_is_grey(tmp_path: Path, level: int, is_doubted: bool) -> None:
    of(object=level).save(tmp_path / "a.jpg")
    roots = Roots.open([tmp_path])
    text = doubt_masks(roots, roots.files, DecodeOptions())
    assert (text != "") == is_doubted
    if is_doubted:
        declared = MaskValues.parse(text.split("'")[-2])
        assert abs(declared.foreground[0] - level) <= 2  # type: ignore[operator]
        assert doubt_masks(roots, roots.files, DecodeOptions(values=declared)) == ""
        of(object=255).save(tmp_path / "b.jpg")
        roots = Roots.open([tmp_path])
        assert doubt_masks(roots, roots.files, DecodeOptions()) == "", "a dim one among others is a shade"


def test_files_are_judged_one_by_one_and_named_together(tmp_path: Path) -> None:
    of(object=1).save(tmp_path / "a.png")
    of(object=255).save(tmp_path / "b.png")
    FINE["16 bits"].save(tmp_path / "c.png")
    roots = Roots.open([tmp_path])
    assert doubt_masks(roots, roots.files, DecodeOptions()) == ""
    of(object=4).save(tmp_path / "d.png")
    roots = Roots.open([tmp_path])
    assert "fg=1,4'" in doubt_masks(roots, roots.files, DecodeOptions())


CRIMSON, YELLOW, RED = (220, 20, 60), (255, 255, 0), (255, 0, 0)
COLOURED = {
    "two": (painted(CRIMSON, YELLOW), "fg=#dc143c,#ffff00'"),
    "a dark one": (painted(RED), "fg=#ff0000'"),
    "a light one": (painted(YELLOW), "fg=#ffff00'"),
    "with alpha": (painted(CRIMSON, YELLOW, mode="RGBA"), "fg=#dc143c,#ffff00'"),
}


@pytest.mark.parametrize("name", COLOURED)
def test_colours_are_doubted_and_named(tmp_path: Path, name: str) -> None:
    image, advice = COLOURED[name]
    for options in ({}, {"soft": True}):
        assert advice in doubt(tmp_path, image, **options)
    assert doubt(tmp_path, image, values=MaskValues.parse(doubt(tmp_path, image).split("'")[-2])) == ""


def test_more_colours_than_anybody_lists_are_a_range(tmp_path: Path) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    for i in range(30):
        pixels[8 * (i // 10) : 8 * (i // 10) + 6, 4 * (i % 10) : 4 * (i % 10) + 3] = (8 * i + 9, 0, 200 - i)
    image = Image.fromarray(pixels)
    text = doubt(tmp_path, image)
    assert "fg=#000001-#ffffff'" in text and "#09" not in text.split("'")[-2]
    assert doubt(tmp_path, image, values=MaskValues.parse(text.split("'")[-2])) == ""


def test_colours_of_a_jpeg_are_doubted(tmp_path: Path) -> None:
    painted(CRIMSON, YELLOW).resize((160, 160), Image.Resampling.NEAREST).save(tmp_path / "a.jpg", quality=90)
    roots = Roots.open([tmp_path])
    text = doubt_masks(roots, roots.files, DecodeOptions())
    assert "masks are in colours" in text
    assert doubt_masks(roots, roots.files, DecodeOptions(values=MaskValues.parse(text.split("'")[-2]))) == ""


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("colour", [(200, 90, 60), (0, 0, 0)])
def test_a_cut_out_is_doubted_with_the_option_for_alpha(tmp_path: Path, mode: str, colour: tuple[int, ...]) -> None:
    assert "--foreground alpha" in doubt(tmp_path, with_alpha(colour, mode))
    assert doubt(tmp_path, with_alpha(colour, mode), foreground="alpha") == ""


def test_numbers_of_many_objects_are_a_range(tmp_path: Path) -> None:
    for bits, least, advice in ((16, 1001, "fg=1-65535'"), (8, 20, "fg=1-255'"), (8, 236, "fg=1-254 unknown=255'")):
        for count in (20, 40):
            numbers = np.zeros((4 * count, SIDE), dtype=f"u{bits // 8}")
            if bits == 8 and count == 40:
                continue  # as many shades as a soft mask has
            for i in range(count):
                numbers[4 * i : 4 * i + 3, :20] = least + i
            text = doubt(tmp_path, Image.fromarray(numbers))
            assert advice in text, (bits, count)
            assert doubt(tmp_path, Image.fromarray(numbers), values=MaskValues.parse(text.split("'")[-2])) == ""


@pytest.mark.parametrize("declared", ["fg=7", "fg=256", "fg=8 unknown=2", "fg=#ff0000"])
def test_a_declared_value_that_occurs_nowhere_is_doubted_with_those_that_do(tmp_path: Path, declared: str) -> None:
    text = doubt(tmp_path, of(object=2, rim=5), values=MaskValues.parse(declared))
    assert f"{declared.split()[0]}, occurs in" in text and "these hold 0, 2, 5" in text.replace("2, 0", "0, 2")
    colours = doubt(tmp_path, painted(CRIMSON, YELLOW), values=MaskValues((7,)))
    assert "#dc143c" in colours and "#ffff00" in colours


def test_an_object_that_few_masks_show_is_searched_for(tmp_path: Path) -> None:
    for i in range(60):
        of(object=3 * (i == 58)).save(tmp_path / f"{i:02}.png")
    roots = Roots.open([tmp_path])
    assert doubt_masks(roots, roots.files, DecodeOptions(values=MaskValues((3,)))) == ""
