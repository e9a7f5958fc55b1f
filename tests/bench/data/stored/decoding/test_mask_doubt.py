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
}
DOUBTED = {
    "a class": (of(object=2), "fg=2'"),
    "classes": (of(object=2, rim=7), "fg=2,7'"),
    "an unknown rim": (of(object=1, rim=255), "fg=1 unknown=255'"),
    "a trimap": (of(object=1, rim=3), "fg=1,3'"),
    "half known": (of(object=255, rim=128), "fg=128 unknown=255'"),
    "a dark grey": (of(object=100), "fg=100'"),
    "one of a palette": (numbered(of(object=1), COLOURS), "fg=1'"),
    "two of a palette": (numbered(of(object=1, rim=2), COLOURS), "fg=1,2'"),
    "16 bits": (Image.fromarray(OBJECT.astype(np.uint16) * 7 + RIM.astype(np.uint16) * 300), "fg=7,300'"),
    "255 of 16 bits": (Image.fromarray(OBJECT.astype(np.uint16) * 255), "fg=255'"),
}


def doubt(folder: Path, image: Image.Image, **options: object) -> str:
    image.save(folder / "mask.png")
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
    assert MaskValues.parse(text.split("'")[1]).foreground
    for option in ({"values": MaskValues((1,))}, {"soft": True}, {"foreground": "alpha"}):
        assert doubt(tmp_path, image, **option) == "", "declared already"


def test_a_broken_mask_and_a_lossy_one_are_no_doubt(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    of(object=100).save(tmp_path / "b.jpg")
    roots = Roots.open([tmp_path])
    assert doubt_masks(roots, roots.files, DecodeOptions()) == ""


def test_files_are_judged_one_by_one_and_named_together(tmp_path: Path) -> None:
    of(object=1).save(tmp_path / "a.png")
    of(object=255).save(tmp_path / "b.png")
    FINE["16 bits"].save(tmp_path / "c.png")
    roots = Roots.open([tmp_path])
    assert doubt_masks(roots, roots.files, DecodeOptions()) == ""
    of(object=4).save(tmp_path / "d.png")
    roots = Roots.open([tmp_path])
    assert "fg=1,4'" in doubt_masks(roots, roots.files, DecodeOptions())
