"""Baseline JPEG as arithmetic on tensors, batched on any device: what a file of a given quality would show."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

# The tables of ITU-T T.81 annex K, which libjpeg scales by quality.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
# Of whole numbers many coefficients lie halfway between two levels, where the sum's last bit must not decide.
_AWAY_FROM_ZERO = 1e-4


@lru_cache(maxsize=8)
def _transform(device: torch.device, dtype: torch.dtype) -> Tensor:
    """The orthonormal two-dimensional 8x8 DCT as a (64, 64) matrix on row-major blocks.

    Many sums lie halfway between two levels. On a CPU the batch does not change the order in which 64 products are
    added; on a GPU it does, so that it computes in float64 there.
    """
    k, n = torch.arange(8.0, dtype=torch.float64)[:, None], torch.arange(8.0, dtype=torch.float64)[None, :]
    rows = torch.cos(math.pi * (2 * n + 1) * k / 16) / 2
    rows[0] /= math.sqrt(2)
    return torch.kron(rows, rows).float().to(device, dtype)


@lru_cache(maxsize=8)
def _tables(device: torch.device) -> Tensor:
    """Luma, chroma, chroma quantisation at quality 50, (3, 64)."""
    return torch.tensor([_LUMA, _CHROMA, _CHROMA], dtype=torch.float32, device=device).view(3, 64)


def _quantisation(quality: Tensor) -> Tensor:
    """libjpeg's step sizes for qualities 1 to 100, (B,) to (B, 3, 1, 64)."""
    scale = torch.where(quality < 50, torch.floor(5000 / quality), 200 - 2 * quality)
    steps = torch.floor((_tables(quality.device) * scale[:, None, None] + 50) / 100)
    return steps.clamp(1, 255)[:, :, None, :]


def compress_jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """What baseline JPEG without chroma subsampling makes of images.

    Args:
        images: (B, 3, H, W) in [0, 1], any size; rims are continued to whole blocks.
        quality: (B,) whole numbers from 1 to 100, libjpeg's scale.

    Returns:
        (B, 3, H, W) on the 256 levels of an 8-bit file.
    """
    height, width = images.shape[-2:]
    pixels = (images * 255).round_()
    if height % 8 or width % 8:
        pixels = functional.pad(pixels, (0, -width % 8, 0, -height % 8), mode="replicate")
    down, across = pixels.shape[-2] // 8, pixels.shape[-1] // 8
    r, g, b = pixels.unbind(1)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    planes = torch.stack([luma, (b - luma) / 1.772 + 128, (r - luma) / 1.402 + 128], dim=1)
    planes.round_().sub_(128)
    blocks = planes.view(-1, 3, down, 8, across, 8).transpose(3, 4).reshape(-1, 3, down * across, 64)
    kind = torch.float64 if images.is_cuda else torch.float32
    steps, transform = _quantisation(quality), _transform(images.device, kind)
    levels = (blocks.to(transform.dtype) @ transform.T).div_(steps)
    levels = levels.add_(levels.sign().mul_(_AWAY_FROM_ZERO)).round_()
    planes = (levels.mul_(steps) @ transform).float()
    planes = planes.view(-1, 3, down, across, 8, 8).transpose(3, 4).reshape(-1, 3, 8 * down, 8 * across)
    luma, blue, red = planes.round_().add_(128).clamp_(0, 255)[..., :height, :width].unbind(1)
    blue, red = blue - 128, red - 128
    rgb = torch.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], dim=1)
    return rgb.round_().clamp_(0, 255).div_(255)


def compress_in_place(images: Tensor, quality: Tensor) -> Tensor:
    """`compress_jpeg` in one kernel, on those of contiguous images whose quality is above 0; needs Triton.

    Args:
        images: (B, 3, H, W) in [0, 1], sides multiples of 8; those are overwritten.
        quality: (B,) whole numbers from 0 to 100.
    """
    from bench.data.kernels.jpeg import compress

    return compress(images, quality, _transform(images.device, torch.float32), _tables(images.device))
