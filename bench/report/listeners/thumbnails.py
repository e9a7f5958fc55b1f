"""Thumbnails of a run's predictions on the first test images, written at its end for the report."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from bench.core.record import Record
from bench.report.pictures.png import save_png
from bench.train.events import Listener, Preview
from registry.contract import Prediction, Quartet

COUNT = 32
"""Number of test images."""

SIDE = 64
"""Side of a thumbnail, pixels."""

NAME = "thumbnails.png"
FIELDS = ("bg", "bg_fg", "mask", "depth", "predicted mask", "predicted depth")
"""Columns from left to right; missing fields are black."""


class Thumbnails(Listener):
    """Writes ``thumbnails.png`` into a run's folder at its end: a row per test image, `FIELDS` as columns."""

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Draw and write the thumbnails."""
        if preview is not None:
            save_png(mosaic(*preview(COUNT)), folder / NAME, optimize=True)


def mosaic(quartet: Quartet, prediction: Prediction) -> Image.Image:
    """All thumbnails as one picture, `SIDE` times (rows: images, columns: `FIELDS`)."""
    fields = dict(quartet.tensors()) | {f"predicted {name}": head.value for name, head in prediction.heads()}
    rows = len(quartet)
    picture = torch.zeros(rows, len(FIELDS), 3, SIDE, SIDE)
    for column, name in enumerate(FIELDS):
        if name in fields:
            picture[:, column] = _small(fields[name])
    pixels = picture.permute(0, 3, 1, 4, 2).reshape(rows * SIDE, len(FIELDS) * SIDE, 3)
    return Image.fromarray((pixels.nan_to_num(0.5).clamp(0, 1) * 255).round().byte().numpy())


def _small(images: Tensor) -> Tensor:
    """(B, 3, SIDE, SIDE), on the host."""
    small = torch.nn.functional.interpolate(images.detach().float().cpu(), size=(SIDE, SIDE), mode="area")
    return small.expand(-1, 3, -1, -1)
