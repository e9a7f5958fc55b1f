"""`bench.data.images.jpeg.compress_jpeg` for sizes of whole blocks, in one pass over those images that want it."""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from bench.data.kernels.available import on_device_of

_BLOCKS = 16
"""Blocks of 8x8 pixels at once. Their sums are added in the order of this tile, whatever the batch."""
_LARGE = tl.constexpr(12582912.0)
"""1.5 * 2^23: float32 numbers of this size have no fraction, so that adding it rounds, halves to even."""


@triton.jit
def rounded(x: tl.tensor) -> tl.tensor:
    """Whole numbers, halves to even, for sizes below 2^22; wrong where additions are fused or reordered."""
    return (x + _LARGE) - _LARGE


@triton.jit
def _quantised(plane: tl.tensor, steps: tl.tensor, forward: tl.tensor, inverse: tl.tensor) -> tl.tensor:
    """What is left of (N, 64) pixels of blocks, in whole numbers from 0 to 255, after quantisation by ``steps``."""
    levels = tl.div_rn(tl.dot(plane - 128, forward, input_precision="tf32x3"), steps)
    away = tl.where(levels > 0, 1e-4, tl.where(levels < 0, -1e-4, 0.0))  # as the reference does
    levels = rounded(levels + away) * steps
    plane = rounded(tl.dot(levels, inverse, input_precision="tf32x3")) + 128
    return tl.minimum(tl.maximum(plane, 0.0), 255.0)


@triton.jit
def _steps(table: tl.tensor, scale: tl.tensor) -> tl.tensor:
    """Step sizes (N, 64) from a table (64,) of whole numbers at quality 50."""
    steps = (tl.load(table + tl.arange(0, 64)).to(tl.int32)[None, :] * scale[:, None] + 50) // 100
    return tl.minimum(tl.maximum(steps, 1), 255).to(tl.float32)


@triton.jit
def _stored(at: tl.tensor, value: tl.tensor, wanted: tl.tensor) -> tl.tensor:
    value = tl.minimum(tl.maximum(rounded(value), 0.0), 255.0)
    tl.store(at, tl.div_rn(value, tl.full(value.shape, 255.0, tl.float32)), mask=wanted)


@triton.jit(do_not_specialize=["count"], do_not_specialize_on_alignment=["quality"])
def _compress(
    images: tl.tensor, quality: tl.tensor, transform: tl.tensor, tables: tl.tensor, count: tl.tensor,
    DOWN: tl.constexpr, ACROSS: tl.constexpr, BLOCKS: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    PLANE: tl.constexpr = DOWN * ACROSS * 64
    block = tl.program_id(0) * BLOCKS + tl.arange(0, BLOCKS)
    image = block // (DOWN * ACROSS)
    chosen = tl.load(quality + image, mask=block < count, other=0.0).to(tl.int32)
    if tl.max(chosen, 0) > 0:
        place = block % (DOWN * ACROSS)
        element = tl.arange(0, 64)
        first = (place // ACROSS) * (64 * ACROSS) + (place % ACROSS) * 8
        pixel = first[:, None] + ((element // 8) * (8 * ACROSS) + element % 8)[None, :]
        at = images + image.to(tl.int64)[:, None] * (3 * PLANE) + pixel
        wanted = tl.broadcast_to((chosen > 0)[:, None], (BLOCKS, 64))
        r = rounded(tl.load(at, mask=wanted, other=0.0) * 255)
        g = rounded(tl.load(at + PLANE, mask=wanted, other=0.0) * 255)
        b = rounded(tl.load(at + 2 * PLANE, mask=wanted, other=0.0) * 255)
        luma = 0.299 * r + 0.587 * g + 0.114 * b
        blue = rounded((b - luma) / 1.772 + 128)
        red = rounded((r - luma) / 1.402 + 128)
        luma = rounded(luma)

        chosen = tl.maximum(chosen, 1)
        scale = tl.where(chosen < 50, 5000 // chosen, 200 - 2 * chosen)
        inverse = tl.load(transform + element[:, None] * 64 + element[None, :])
        forward = tl.load(transform + element[None, :] * 64 + element[:, None])
        luma = _quantised(luma, _steps(tables, scale), forward, inverse)
        chroma = _steps(tables + 64, scale)
        blue = _quantised(blue, chroma, forward, inverse) - 128
        red = _quantised(red, chroma, forward, inverse) - 128
        _stored(at, luma + 1.402 * red, wanted)
        _stored(at + PLANE, luma - 0.344136 * blue - 0.714136 * red, wanted)
        _stored(at + 2 * PLANE, luma + 1.772 * blue, wanted)


def compress(images: Tensor, quality: Tensor, transform: Tensor, tables: Tensor) -> Tensor:
    """What JPEG makes of those images whose quality is above 0, in place; the others stay.

    Args:
        images: (B, 3, H, W) float32 in [0, 1], contiguous, H and W multiples of 8.
        quality: (B,) whole numbers from 0 to 100.
        transform: the two-dimensional DCT, (64, 64) float32.
        tables: step sizes of luma and chroma at quality 50, (2 or more, 64) float32.
    """
    down, across = images.shape[-2] // 8, images.shape[-1] // 8
    count = len(images) * down * across
    with on_device_of(images):
        _compress[triton.cdiv(count, _BLOCKS),](
            images, quality.float().contiguous(), transform, tables, count,
            DOWN=down, ACROSS=across, BLOCKS=_BLOCKS, num_warps=4, enable_fp_fusion=False,
        )  # fmt: skip
    return images
