"""Small scenes with a soft mask, a smooth depth and a hole in what is known of it, and predictions for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from registry.contract import Prediction, Quartet

Scene = Callable[..., Quartet]
Guess = Callable[..., Prediction]


def _smooth(images: int, cells: int, size: int, draw: torch.Generator) -> Tensor:
    coarse = torch.rand(images, 1, cells, cells, generator=draw)
    return functional.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=True)


@pytest.fixture
def scene() -> Scene:
    """Scenes from a seed: an object each with a soft rim, depth in [0.1, 0.9], a hole over a corner."""

    def make(seed: int = 0, images: int = 4, size: int = 64) -> Quartet:
        draw = torch.Generator().manual_seed(seed)
        bg, bg_fg = (torch.rand(images, 3, size, size, generator=draw) for _ in range(2))
        hard = torch.zeros(images, 1, size, size)
        for image in range(images):
            top, left = (int(torch.randint(size // 16, size // 4, (1,), generator=draw)) for _ in range(2))
            hard[image, :, top : top + size // 3, left : left + size // 4] = 1
        mask = functional.avg_pool2d(hard, 3, stride=1, padding=1)
        depth = 0.1 + 0.5 * _smooth(images, 5, size, draw) + 0.3 * hard * torch.rand(images, 1, 1, 1, generator=draw)
        valid = torch.ones_like(depth)
        valid[..., : size // 5, -size // 4 :] = 0
        return Quartet(bg, bg_fg, mask, depth, valid)

    return make


@pytest.fixture
def perfect() -> Guess:
    """The prediction that says exactly the truth."""

    def make(truth: Quartet) -> Prediction:
        assert truth.mask is not None and truth.depth is not None
        return Prediction(torch.logit(truth.mask.double()), torch.logit(truth.depth.double()))

    return make


@pytest.fixture
def rough() -> Guess:
    """A prediction that resembles the truth: object in place but frayed, depth off by noise of many scales."""

    def make(truth: Quartet, seed: int = 1) -> Prediction:
        assert truth.mask is not None and truth.depth is not None
        draw = torch.Generator().manual_seed(seed)
        images, _, size, _ = truth.mask.shape
        frayed = truth.mask - 0.5 + 0.8 * (_smooth(images, 9, size, draw) - 0.5)
        noise = sum((_smooth(images, cells, size, draw) - 0.5 for cells in (3, 9, size)), torch.zeros(()))
        return Prediction(8 * frayed, torch.logit(truth.depth.clamp(0.02, 0.98)) + noise)

    return make


@pytest.fixture
def awful() -> Guess:
    """A prediction that every metric must find bad: mask moved away, depth scaled differently per 16-px block."""

    def make(truth: Quartet) -> Prediction:
        assert truth.mask is not None and truth.depth is not None
        images, _, size, _ = truth.mask.shape
        moved = truth.mask.roll((size // 2, size // 2), dims=(-2, -1))
        cells = torch.rand(images, 1, -(-size // 16), -(-size // 16), generator=torch.Generator().manual_seed(2))
        scale = cells.repeat_interleave(16, -2).repeat_interleave(16, -1)[..., :size, :size]
        return Prediction(torch.logit(moved, eps=1e-6), torch.logit(truth.depth * (0.1 + 0.3 * scale)))

    return make
