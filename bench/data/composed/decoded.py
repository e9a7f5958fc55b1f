"""Decoded backgrounds and cut-outs as tensors of the same size, ready to be gathered from and composed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from bench.data.images.files import Cutout

LARGEST = 0.70
"""The longer side of a pasted object is at most this much of the picture's."""
_LEVELS = 3
_GUTTER = 1


@dataclass
class Backgrounds:
    """Photographs and, where given, their depth maps.

    Attributes:
        photographs: (N, 3, S, S) uint8.
        depths: (N, S, S) float32 in [0, 1], -1 where unknown; None without depth maps.
    """

    photographs: Tensor
    depths: Tensor | None

    def at(self, size: int) -> Backgrounds:
        """The same in ``size`` x ``size``: photographs averaged, depths picked, as holes must stay what they are."""
        side = self.photographs.shape[-1]
        resized = [
            functional.interpolate(some.float(), (size, size), mode="bilinear", antialias=True, align_corners=False)
            .round_()
            .clamp_(0, 255)
            .byte()
            for some in (self.photographs[start : start + 64] for start in range(0, len(self.photographs), 64))
        ]
        depths = None
        if self.depths is not None:
            pick = ((torch.arange(size, device=self.depths.device) + 0.5) * (side / size)).long()
            depths = self.depths[:, pick][:, :, pick].contiguous()
        return Backgrounds(torch.cat(resized), depths)

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        return type(self)(self.photographs.to(device), None if self.depths is None else self.depths.to(device))


@dataclass
class Cutouts:
    """Objects for pictures of a given size, each in three sizes of its own so that pasting never skips texels.

    Attributes:
        canvases: premultiplied red, green, blue, alpha, (N * 3, 4, C, C) float16, object in the upper left corner
            behind a gutter of a transparent pixel; its longer side is 0.7, 0.5, 0.35 of the picture's.
        extent: width and height of the object on its canvas, (N * 3, 2) float32.
        shape: width and height over the longer of them, (N, 2) float32.
        foot: where it stands, fractions of width and height, (N, 2) float32.
    """

    canvases: Tensor
    extent: Tensor
    shape: Tensor
    foot: Tensor

    levels = _LEVELS
    gutter = _GUTTER

    @classmethod
    def of(cls, cutouts: Sequence[Cutout], size: int, device: torch.device) -> Self:
        """The cut-outs for pictures of ``size`` x ``size``."""
        side = int(LARGEST * size) + 1 + 2 * _GUTTER
        canvases = torch.zeros(len(cutouts) * _LEVELS, 4, side, side, dtype=torch.float16)
        extents = []
        for number, item in enumerate(cutouts):
            height, width = item.pixels.shape[1:]
            for level in range(_LEVELS):
                scale = LARGEST * size * 0.5 ** (level / 2) / max(height, width)
                h, w = (max(1, round(length * scale)) for length in (height, width))
                pixels = functional.interpolate(
                    item.pixels[None], (h, w), mode="bilinear", antialias=True, align_corners=False
                )[0]
                canvases[number * _LEVELS + level, :, _GUTTER : _GUTTER + h, _GUTTER : _GUTTER + w] = pixels.clamp(0, 1)
                extents.append((float(w), float(h)))
        sizes = torch.tensor([(item.pixels.shape[2], item.pixels.shape[1]) for item in cutouts], dtype=torch.float32)
        return cls(
            canvases.to(device),
            torch.tensor(extents).to(device),
            (sizes / sizes.amax(1, keepdim=True)).to(device),
            torch.tensor([item.foot for item in cutouts]).to(device),
        )
