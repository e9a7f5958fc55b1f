"""Any source's scenes with the targets and the misaligned inputs that some of the published systems trained on."""

from __future__ import annotations

import copy
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional

from bench.data.counter_random import uniform
from bench.data.source import Source
from bench.data.split import Part
from registry.contract import Quartet

_DEGREES = 30.0


class AsPublished(Source):
    """Another source, as a published system had its data.

    Args:
        inner: where the scenes come from.
        stretched: depth of each image from its own least to its own greatest, to 0 and 1, as in systems 000 and 002.
        turned: training and validation photographs turned by up to 30 degrees and half of them mirrored, their
            targets not, the fault of system 001. One draw a sample.
    """

    def __init__(self, inner: Source, stretched: bool, turned: bool) -> None:
        self._inner, self._stretched, self._turned = inner, stretched, turned
        self.kind, self.seed, self.camera, self.device = inner.kind, inner.seed, inner.camera, inner.device
        self.has_depth, self.has_mask, self.has_background = inner.has_depth, inner.has_mask, inner.has_background
        self.names_objects = inner.names_objects
        self.encoding = f"per image from least to greatest, of: {inner.encoding}" if stretched else inner.encoding

    def describe(self) -> dict[str, Any]:
        """The inner source's description, with what is different here."""
        return {**self._inner.describe(), "encoding": self.encoding, "inputs_turned": self._turned}

    def stream(self, part: Part) -> str:
        """As the inner source's."""
        return self._inner.stream(part)

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """As the inner source's."""
        return self._inner.groups(part, ids)

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        moved = copy.copy(self)
        moved._inner, moved.device = self._inner.to(device), torch.device(device)
        return moved

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """The inner source's scenes, changed."""
        quartet = self._inner.scenes(part, ids, size)
        if self._stretched and quartet.depth is not None and quartet.valid is not None:
            quartet.depth = stretch(quartet.depth, quartet.valid)
        if self._turned and part != "test":
            draws = uniform(self.seed, f"{self.stream(part)}/turned", ids, 2)
            quartet.bg, quartet.bg_fg = (turn(image, draws) for image in quartet.inputs)
        return quartet


def stretch(depth: Tensor, valid: Tensor) -> Tensor:
    """Known depths of each image to 0 .. 1, unknown depths to 0; (B, 1, H, W) each."""
    known = valid > 0.5
    low = torch.where(known, depth, torch.inf).amin((1, 2, 3), keepdim=True)
    high = torch.where(known, depth, -torch.inf).amax((1, 2, 3), keepdim=True)
    return torch.where(known, (depth - low) / (high - low).clamp(min=1e-6), 0.0)


def turn(images: Tensor, draws: Tensor) -> Tensor:
    """Images (B, C, H, W), each turned by the first of its draws (B, 2) in [0, 1) and mirrored by the second."""
    angle = torch.deg2rad((2 * draws[:, 0] - 1) * _DEGREES)
    side = torch.where(draws[:, 1] < 0.5, -1.0, 1.0)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    matrix = torch.stack([torch.stack([side * cos, -sin, zero], 1), torch.stack([side * sin, cos, zero], 1)], 1)
    grid = functional.affine_grid(matrix.to(images.dtype), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False).clamp_(0, 1)
