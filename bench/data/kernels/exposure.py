"""What a camera's sensor makes of an image, in one pass: moved, exposed, with noise, clamped."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from bench.data.kernels.available import on_device_of
from bench.data.kernels.draws import mixed_key, normal_at

_BLOCK = 1024


@triton.jit
def _reflected(at: tl.tensor, side: tl.tensor) -> tl.tensor:
    """Coordinates brought back into [0, side - 1], mirrored at the rims of the outer pixels."""
    at = tl.abs(at + 0.5)
    turns = tl.floor(at / side)
    rest = at - turns * side
    back = turns - 2 * tl.floor(turns / 2)
    at = tl.where(back > 0.5, side - rest, rest) - 0.5
    return tl.minimum(tl.maximum(at, 0.0), side - 1)


@triton.jit
def _moved(plane: tl.tensor, y: tl.tensor, x: tl.tensor, HEIGHT: tl.constexpr, WIDTH: tl.constexpr) -> tl.tensor:
    """Bilinear values of planes (HEIGHT, WIDTH), each at its own ``plane`` pointer, at float coordinates."""
    left, top = tl.floor(x), tl.floor(y)
    right_share, lower_share = x - left, y - top
    column, row = left.to(tl.int32), top.to(tl.int32)
    across = tl.where(column + 1 < WIDTH, 1, 0)  # beyond the rim a share is 0
    down = tl.where(row + 1 < HEIGHT, WIDTH, 0)
    at = plane + row * WIDTH + column
    upper = tl.load(at) * (1 - right_share) + tl.load(at + across) * right_share
    lower = tl.load(at + down) * (1 - right_share) + tl.load(at + down + across) * right_share
    return upper * (1 - lower_share) + lower * lower_share


@triton.jit(do_not_specialize=["stream_key"], do_not_specialize_on_alignment=["ids", "shift", "gain"])
def _expose(
    images: tl.tensor, out: tl.tensor, ids: tl.tensor, shift: tl.tensor, gain: tl.tensor, quantiles: tl.tensor,
    stream_key: tl.tensor, sigma: tl.tensor,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, MOVED: tl.constexpr, BLOCK: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    PLANE: tl.constexpr = HEIGHT * WIDTH
    programs = tl.cdiv(3 * PLANE, BLOCK)
    sample = tl.program_id(0) // programs
    column = (tl.program_id(0) % programs) * BLOCK + tl.arange(0, BLOCK)
    inside = column < 3 * PLANE
    begin = sample.to(tl.int64) * (3 * PLANE)
    if MOVED:
        channel = tl.where(inside, column // PLANE, 0)
        pixel = tl.where(inside, column % PLANE, 0)
        x = _reflected((pixel % WIDTH).to(tl.float32) - tl.load(shift + 2 * sample) * WIDTH, WIDTH)
        y = _reflected((pixel // WIDTH).to(tl.float32) - tl.load(shift + 2 * sample + 1) * WIDTH, HEIGHT)
        value = _moved(images + begin + channel * PLANE, y, x, HEIGHT, WIDTH)
        value = value * tl.load(gain + 3 * sample + channel)
    else:
        value = tl.load(images + begin + column, mask=inside, other=0.0)
    key = mixed_key(tl.load(ids + sample), stream_key)
    value = normal_at(key, column, quantiles) * sigma + value
    tl.store(out + begin + column, tl.minimum(tl.maximum(value, 0.0), 1.0), mask=inside)


def expose(
    images: Tensor,
    ids: Tensor,
    stream_key: int,
    quantiles: Tensor,
    sigma: float,
    moved: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Images with noise, clamped to [0, 1], (B, 3, H, W); before that moved and multiplied, if so wanted.

    Args:
        images: (B, 3, H, W) float32.
        ids, stream_key, quantiles: what decides the noise, see `bench.data.counter_random.normal`.
        sigma: its standard deviation.
        moved: shift (B, 2) as `bench.data.camera.condition.translate` takes it, and factors (B, 3).
    """
    images = images.float().contiguous()
    out = torch.empty_like(images)
    batch, _, height, width = images.shape
    shift, gain = (values.contiguous() for values in moved or (images, images))
    with on_device_of(images):
        _expose[batch * triton.cdiv(3 * height * width, _BLOCK),](
            images, out, ids.long().contiguous(), shift, gain, quantiles, stream_key, sigma,
            HEIGHT=height, WIDTH=width, MOVED=moved is not None, BLOCK=_BLOCK, enable_fp_fusion=False,
        )  # fmt: skip
    return out
