"""Folders of tiny photographs, cut-outs and depth maps, made on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHADES = [(200, 30, 40), (20, 180, 60), (250, 250, 10), (10, 20, 240), (128, 0, 128), (250, 128, 0)]
"""Cut-out n is of this colour throughout."""


class Pictures:
    """Six backgrounds of 72x60, their depth maps (a floor: nearer towards the bottom, a hole), six cut-outs."""

    def __init__(self, root: Path) -> None:
        self.bg, self.fg, self.depth = (root / name for name in ("bg", "fg", "depth"))
        for folder in (self.bg, self.fg, self.depth):
            folder.mkdir(parents=True)
        draw = np.random.default_rng(0)
        for i in range(6):
            Image.fromarray(draw.integers(0, 256, (60, 72, 3), dtype=np.uint8)).save(self.bg / f"room{i}_3.png")
            self.save_depth(f"room{i}_3", self.floor(1000 + 100 * i))
            self.save_cutout(f"thing{i}", SHADES[i], height=40 + 4 * i, width=16 + 6 * i)
        (self.bg / "notes.txt").write_text("not an image")

    @staticmethod
    def floor(nearest: int) -> np.ndarray:
        """Millimetres: 40 more for every row further up; columns 30 to 39 of the 72 are unknown."""
        rows = nearest + 40 * np.arange(60)[::-1, None]
        depth = np.broadcast_to(rows, (60, 72)).astype(np.uint16).copy()
        depth[:, 30:40] = 0
        return depth

    def save_depth(self, stem: str, depth: np.ndarray) -> None:
        Image.fromarray(depth).save(self.depth / f"{stem}.png")

    def save_cutout(self, stem: str, colour: tuple[int, int, int], height: int, width: int) -> None:
        """A disc-shaped object with a soft rim, in a transparent margin."""
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        alpha = np.clip((1 - np.hypot(x, y)) * 8, 0, 1)
        pixels = np.zeros((height + 6, width + 6, 4), dtype=np.uint8)
        pixels[..., :3] = colour
        pixels[3:-3, 3:-3, 3] = (alpha * 255).round()
        Image.fromarray(pixels).save(self.fg / f"{stem}.png")


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path)


@pytest.fixture(scope="session")
def shared_pictures(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    """For tests that only read them."""
    return Pictures(tmp_path_factory.mktemp("pictures"))
