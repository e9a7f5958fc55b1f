"""Rows of bytes to float images, gathered, all images of a quartet in one launch: what serving a batch takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from bench.data.kernels.available import on_device_of

_BLOCK = 1024


@triton.jit(do_not_specialize_on_alignment=["rows"])
def _unpack(
    stored: tl.tuple, images: tl.tuple, strides: tl.tuple, rows: tl.tensor | None,
    LENGTHS: tl.constexpr, LEVELS: tl.constexpr, COUNT: tl.constexpr, PROGRAMS: tl.constexpr, BLOCK: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    sample = (tl.program_id(0) // PROGRAMS).to(tl.int64)
    place = (tl.program_id(0) % PROGRAMS) * BLOCK + tl.arange(0, BLOCK)
    row = sample if rows is None else tl.load(rows + sample)
    for i in tl.static_range(COUNT):
        inside = place < LENGTHS[i]
        value = tl.load(stored[i] + row * strides[i] + place, mask=inside, other=0).to(tl.float32)
        if LEVELS[i]:
            value = tl.div_rn(value, 255.0)
        tl.store(images[i] + sample * LENGTHS[i] + place, value, mask=inside)


def unpack_images(stored: Sequence[Tensor], levels: Sequence[bool], rows: Tensor | None = None) -> list[Tensor]:
    """New float32 images, (B, H, W, C) each.

    Args:
        stored: (N, H, W, C) each, uint8 or float16, contiguous within a sample; samples may lie apart.
        levels: of each, whether whole numbers from 0 to 255 become [0, 1].
        rows: which samples, (B,) int64, from 0 to N - 1; all N, if None.
    """
    count = len(stored[0]) if rows is None else len(rows)
    images = [torch.empty(count, *part.shape[1:], dtype=torch.float32, device=part.device) for part in stored]
    lengths = tuple(part[0].numel() for part in stored)
    programs = triton.cdiv(max(lengths), _BLOCK)
    with on_device_of(stored[0]):
        _unpack[count * programs,](
            tuple(stored), tuple(images), tuple(part.stride(0) for part in stored),
            None if rows is None else rows.contiguous(),
            LENGTHS=lengths, LEVELS=tuple(levels), COUNT=len(lengths), PROGRAMS=programs, BLOCK=_BLOCK,
            enable_fp_fusion=False,
        )  # fmt: skip
    return images
