"""Pairs of pictures in a folder, of any sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def shots(folder: Path, sizes: dict[str, tuple[int, int]]) -> None:
    folder.mkdir(exist_ok=True)
    draw = np.random.default_rng(0)
    for name, (width, height) in sizes.items():
        for what in ("bg", "bg_fg"):
            pixels = draw.integers(0, 256, (height, width, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{name}_{what}.png")
