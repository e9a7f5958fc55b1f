"""Predictions as files: mask, depth, overlay, and arrays."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from bench.core import files
from bench.report.pictures.predictions import heat_colours
from bench.run.predict.prediction import Predicted

Array = npt.NDArray[np.generic]

_METRIC = re.compile(r"metric, 1\.0 = ([0-9.]+) m(?:,|$)")
_TINT = torch.tensor([255.0, 64.0, 0.0])
_TINTED, _HEATED = 0.45, 0.6
_QUICK = {"compress_level": 1, "compress_type": zlib.Z_RLE}
"""Of PNG: as small as usual for filtered photographs, in a quarter of the time; flat masks stay tiny."""


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
        metric = _METRIC.match(encoding)
        if metric is None:
            return cls("255 is 1.0 of the encoding", 255.0, wide=False)
        metres = float(metric[1])
        if metres * 1000 <= 65535:
            return cls("millimetres, 16 bits", metres * 1000, wide=True)
        return cls("1/256 metre, 16 bits", metres * 256, wide=True)

    def numbers(self, depth: Tensor) -> Array:
        """Depths in [0, 1], (H, W), as numbers of a file."""
        values = np.rint(depth.numpy().astype(np.float64) * self.factor)
        return values.clip(1, 65535).astype(np.uint16) if self.wide else values.clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class PredictionFiles:
    """Writes ``NAME_mask.png``, ``NAME_depth.png`` and ``NAME_overlay.png``, as far as the model has these heads.

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
        pictures = {"overlay": overlay(predicted)}
        for head, values in predicted.values.items():
            numbers = self.depth.numbers(values) if head == "depth" else _bytes(values * 255)
            pictures[head] = Image.fromarray(numbers)
            if self.npy:
                content = io.BytesIO()
                np.save(content, values.numpy())
                files.replace(self.folder / f"{predicted.name}_{head}.npy", content.getvalue(), durable=False)
        for what, picture in pictures.items():
            content = io.BytesIO()
            picture.save(content, format="PNG", **_QUICK)
            files.replace(self.folder / f"{predicted.name}_{what}.png", content.getvalue(), durable=False)


def overlay(predicted: Predicted) -> Image.Image:
    """The photograph with the mask tinted and outlined, or with the depth in colours where the model has no mask.

    Depth is coloured from the least to the greatest of the picture, dark is near.
    """
    photograph = predicted.photograph.float()
    mask, depth = predicted.values.get("mask"), predicted.values.get("depth")
    if mask is not None:
        share = _TINTED * mask[..., None]
        tinted = photograph * (1 - share) + _TINT * share
        return Image.fromarray(_bytes(torch.where(_outline(mask > 0.5)[..., None], _TINT, tinted)))
    if depth is not None:
        low, high = depth.aminmax()
        colours = heat_colours((depth - low) / (high - low).clamp(min=1e-3)) * 255
        return Image.fromarray(_bytes(photograph * (1 - _HEATED) + colours * _HEATED))
    return Image.fromarray(_bytes(photograph))


def _outline(inside: Tensor) -> Tensor:
    """Pixels inside that have a neighbour outside, bool (H, W)."""
    padded = torch.nn.functional.pad(inside[None].float(), (1, 1, 1, 1), mode="replicate")[0] > 0.5
    all_in = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~all_in


def _bytes(values: Tensor) -> npt.NDArray[np.uint8]:
    rounded: npt.NDArray[np.uint8] = values.nan_to_num().round().clamp(0, 255).to(torch.uint8).numpy()
    return rounded
