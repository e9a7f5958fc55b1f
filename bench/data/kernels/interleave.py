"""Planes to channels last in a smaller type, one pass each: what packing samples takes."""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from bench.data.kernels.available import on_device_of
from bench.data.kernels.jpeg import rounded

_BLOCK = 1024


@triton.jit
def _interleave(
    planes: tl.tensor, out: tl.tensor, stride: tl.tensor,
    PLANE: tl.constexpr, CHANNELS: tl.constexpr, LEVELS: tl.constexpr, BLOCK: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    programs = tl.cdiv(PLANE * CHANNELS, BLOCK)
    sample = (tl.program_id(0) // programs).to(tl.int64)
    place = (tl.program_id(0) % programs) * BLOCK + tl.arange(0, BLOCK)
    inside = place < PLANE * CHANNELS
    source = (place % CHANNELS) * PLANE + place // CHANNELS
    value = tl.load(planes + sample * (PLANE * CHANNELS) + source, mask=inside, other=0.0)
    if LEVELS:
        value = rounded(value * 255)
    tl.store(out + sample * stride + place, value.to(out.dtype.element_ty), mask=inside)


def interleave(planes: Tensor, out: Tensor, levels: bool) -> None:
    """Write (B, C, H, W) to ``out`` (B, H, W, C), whose samples may lie apart.

    Args:
        planes: what to write.
        out: uint8 or float16, contiguous within a sample.
        levels: whether [0, 1] becomes whole numbers from 0 to 255.
    """
    batch, channels, height, width = planes.shape
    with on_device_of(planes):
        _interleave[batch * triton.cdiv(height * width * channels, _BLOCK),](
            planes.float().contiguous(), out, out.stride(0),
            PLANE=height * width, CHANNELS=channels, LEVELS=levels, BLOCK=_BLOCK, enable_fp_fusion=False,
        )  # fmt: skip
