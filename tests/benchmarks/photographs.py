"""A few generated photographs and cut-outs."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image


def photographs(folder: Path) -> dict[str, Path]:
    """A few generated photographs and cut-outs."""
    draw = torch.Generator().manual_seed(0)
    for name, count, channels in (("bg", 4, 3), ("fg", 4, 4)):
        (folder / name).mkdir()
        for i in range(count):
            pixels = torch.randint(0, 256, (96, 128, channels), generator=draw, dtype=torch.uint8)
            Image.fromarray(pixels.numpy()).save(folder / name / f"{name}_{'abcd'[i]}.png")
    return {"bg": folder / "bg", "fg": folder / "fg"}
