"""Predictions as files: mask, depth, overlay, and arrays."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core import files
from bench.data.depth_units import metres
from bench.report.pictures.png import png
from bench.report.pictures.predictions import heat_colours
from bench.run.predict.prediction import Predicted

Array = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_TINT = (255, 64, 0)
_TINTED, _HEATED = 0.45, 0.6


@dataclass(frozen=True)
class DepthScale:
    """How depth is written.

    Attributes:
        unit: unit of the numbers in files, in words.
        factor: the number that a depth of 1.0 is written as.
        wide: whether in 16 bits, with 1 as the least number as 0 means unknown; else in 8 bits.
    """

    unit: str
    factor: float
    wide: bool

    @classmethod
    def of(cls, encoding: str) -> DepthScale:
        """The scale for a depth encoding: millimetres where it is metric; beyond 65 m, 1/256 m."""
        full = metres(encoding)
        if full is None:
            return cls("255 is 1.0 of the encoding", 255.0, wide=False)
        if full * 1000 <= 65535:
            return cls("millimetres, 16 bits", full * 1000, wide=True)
        return cls("1/256 metre, 16 bits", full * 256, wide=True)

    def numbers(self, depth: npt.NDArray[np.float32]) -> Array:
        """Depths in [0, 1], (H, W), as numbers of a file."""
        values = np.rint(depth.astype(np.float64) * self.factor)
        return values.clip(1, 65535).astype(np.uint16) if self.wide else values.clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class PredictionFiles:
    """Writes ``NAME_mask.png``, ``NAME_depth.png`` and ``NAME_overlay.jpg``, as far as the model has these heads.

    Called by threads beside a network on the same processor: numpy and Pillow compute in the calling thread alone,
    where torch would start as many again.

    Attributes:
        folder: to write to.
        depth: how depth is written.
        npy: also ``NAME_mask.npy`` and ``NAME_depth.npy``: float32 (H, W) in [0, 1], the network's output.
    """

    folder: Path
    depth: DepthScale
    npy: bool = False

    def __call__(self, predicted: Predicted) -> None:
        """Write the files of an image, each atomically."""
        content = io.BytesIO()
        overlay(predicted).save(content, format="JPEG", quality=90)
        self._write(f"{predicted.name}_overlay.jpg", content.getvalue())
        for head, tensor in predicted.values.items():
            values = tensor.numpy()
            numbers = self.depth.numbers(values) if head == "depth" else _bytes(values * 255)
            self._write(f"{predicted.name}_{head}.png", png(numbers))
            if self.npy:
                content = io.BytesIO()
                np.save(content, values)
                self._write(f"{predicted.name}_{head}.npy", content.getvalue())

    def _write(self, name: str, content: bytes) -> None:
        files.replace(self.folder / name, content, durable=False)


def overlay(predicted: Predicted) -> Image.Image:
    """The photograph with the mask tinted and outlined, or with the depth in colours where the model has no mask.

    Depth is coloured from the least to the greatest of the picture, dark is near.
    """
    photograph = Image.fromarray(predicted.photograph.numpy())
    mask, depth = predicted.values.get("mask"), predicted.values.get("depth")
    if mask is not None:
        share = _bytes(mask.numpy() * (255 * _TINTED))
        tinted = Image.composite(Image.new("RGB", photograph.size, _TINT), photograph, Image.fromarray(share))
        tinted.paste(_TINT, mask=Image.fromarray(_outline(mask.numpy() > 0.5)))
        return tinted
    if depth is not None:
        low, high = depth.aminmax()
        colours = heat_colours((depth - low) / (high - low).clamp(min=1e-3)).numpy() * 255
        return Image.blend(photograph, Image.fromarray(_bytes(colours)), _HEATED)
    return photograph


def _outline(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels inside that have a neighbour outside, (H, W)."""
    padded = np.pad(inside, 1, mode="edge")
    all_in = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~all_in


def _bytes(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    levels: npt.NDArray[np.uint8] = np.rint(np.nan_to_num(values)).clip(0, 255).astype(np.uint8)
    return levels
