"""Left for right in some of a batch's samples, all images of a quartet in one launch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from bench.data.kernels.available import on_device_of

_BLOCK = 1024


@triton.jit
def _mirror(
    images: tl.tuple, out: tl.tuple, chosen: tl.tensor,
    CHANNELS: tl.constexpr, COUNT: tl.constexpr, PLANE: tl.constexpr, WIDTH: tl.constexpr,
    PROGRAMS: tl.constexpr, BLOCK: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    sample = (tl.program_id(0) // PROGRAMS).to(tl.int64)
    place = (tl.program_id(0) % PROGRAMS) * BLOCK + tl.arange(0, BLOCK)
    mirrored = tl.load(chosen + sample) != 0
    for i in tl.static_range(COUNT):
        inside = place < PLANE * CHANNELS[i]
        column = place // CHANNELS[i] % WIDTH
        source = tl.where(mirrored, place + (WIDTH - 1 - 2 * column) * CHANNELS[i], place)
        begin = sample * (PLANE * CHANNELS[i])
        tl.store(out[i] + begin + place, tl.load(images[i] + begin + source, mask=inside), mask=inside)


def mirror(images: Sequence[Tensor], chosen: Tensor) -> list[Tensor]:
    """Copies of the images, channels-last in memory, those of the chosen samples mirrored.

    Args:
        images: (B, C, H, W) each, of one height and width.
        chosen: (B,) bool.
    """
    images = [image.contiguous(memory_format=torch.channels_last) for image in images]
    out = [torch.empty_like(image, memory_format=torch.channels_last) for image in images]
    batch, _, height, width = images[0].shape
    channels = tuple(image.shape[1] for image in images)
    programs = triton.cdiv(max(channels) * height * width, _BLOCK)
    with on_device_of(chosen):
        _mirror[batch * programs,](
            tuple(images), tuple(out), chosen.contiguous().view(torch.uint8),
            CHANNELS=channels, COUNT=len(channels), PLANE=height * width, WIDTH=width, PROGRAMS=programs, BLOCK=_BLOCK,
            enable_fp_fusion=False,
        )  # fmt: skip
    return out
