"""Partners of turned pictures are mentioned where shapes do not tell how they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.data.stored.source import Stored

ORIENTATION = 0x0112


def notes(folder: Path, size: tuple[int, int], turn: int, mask: tuple[int, int], mask_turn: int = 1) -> str:
    """Of a set of twelve pictures that are turned, (width, height) each, and of masks."""
    draw = np.random.default_rng(0)

    def save(name: str, pixels: np.ndarray, turn: int) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = turn
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path, exif=exif)

    for n in range(12):
        save(f"images/scene{n}.jpg", draw.integers(0, 255, (*size[::-1], 3), dtype=np.uint8), turn)
        white = np.zeros(mask[::-1], dtype=np.uint8)
        white[4 : 8 + n, 4:20] = 255
        save(f"masks/scene{n}.png", white, mask_turn)
    return "\n".join(Stored(folder, split="shared", packed=None).notes)


@pytest.mark.parametrize(
    ("size", "turn", "mask"),
    [((32, 32), 6, (32, 32)), ((40, 32), 3, (40, 32)), ((40, 32), 2, (40, 32))],
    ids=["square", "half", "mirrored"],
)
def test_what_stays_open_is_said(tmp_path: Path, size: tuple[int, int], turn: int, mask: tuple[int, int]) -> None:
    text = notes(tmp_path, size, turn, mask)
    assert "of 12 pictures looked at 12 are turned by their EXIF orientation, their mask by none" in text


@pytest.mark.parametrize(
    ("size", "turn", "mask", "mask_turn"),
    [((40, 32), 6, (32, 40), 1), ((32, 32), 1, (32, 32), 1), ((32, 32), 6, (32, 32), 6)],
    ids=["shape tells", "upright", "both turned"],
)
def test_what_is_plain_is_not(
    tmp_path: Path, size: tuple[int, int], turn: int, mask: tuple[int, int], mask_turn: int
) -> None:
    assert "EXIF" not in notes(tmp_path, size, turn, mask, mask_turn)
