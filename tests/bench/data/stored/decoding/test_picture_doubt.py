"""Photographs that do not use their range are doubted; dark ones among others are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.data.stored.decoding.picture_doubt import doubt_pictures
from bench.data.stored.files.roots import Roots

RAMP = np.linspace(0, 1, 400).reshape(20, 20)


def doubt(folder: Path) -> str:
    roots = Roots.open([folder])
    return doubt_pictures(roots, roots.files)


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_fewer_bits_than_16_are_doubted(tmp_path: Path, bits: int) -> None:
    for name in "abc":
        Image.fromarray((RAMP * (2**bits - 1)).astype(np.uint16)).save(tmp_path / f"{name}.png")
    text = doubt(tmp_path)
    assert f"of 16 bits are nearly black: no pixel of 3 is above {(2**bits - 1) >> 8} of 255" in text
    assert "scale them" in text


def test_dark_colours_are_doubted(tmp_path: Path) -> None:
    Image.fromarray((RAMP * 15).astype(np.uint8)).convert("RGB").save(tmp_path / "a.png")
    assert "photographs are nearly black" in doubt(tmp_path)


def test_full_range_and_dark_ones_among_others_are_fine(tmp_path: Path) -> None:
    Image.fromarray((RAMP * 65535).astype(np.uint16)).save(tmp_path / "a.png")
    assert doubt(tmp_path) == ""
    (tmp_path / "a.png").write_bytes(b"nothing")
    assert doubt(tmp_path) == "", "named when all are decoded"
    Image.new("RGB", (20, 20)).save(tmp_path / "b.png")
    Image.new("RGB", (20, 20), (90, 0, 0)).save(tmp_path / "c.png")
    assert doubt(tmp_path) == ""
