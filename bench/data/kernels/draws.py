"""`bench.data.counter_random.uniform` in one pass, and its hashes for other kernels."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from bench.data.kernels.available import on_device_of

_GOLDEN = tl.constexpr(0x9E3779B97F4A7C15 - (1 << 64))
_MIX1 = tl.constexpr(0xBF58476D1CE4E5B9 - (1 << 64))
_MIX2 = tl.constexpr(0x94D049BB133111EB - (1 << 64))
_BLOCK = 256


@triton.jit
def _mix(x: tl.tensor) -> tl.tensor:
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * _MIX1
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * _MIX2
    return x ^ ((x >> 31) & ((1 << 33) - 1))


@triton.jit
def mixed_key(ids: tl.tensor, stream_key: tl.tensor) -> tl.tensor:
    """A well-mixed int64 for int64 ids."""
    return _mix(_mix(ids * _GOLDEN + stream_key))


@triton.jit
def normal_at(key: tl.tensor, column: tl.tensor, quantiles: tl.tensor) -> tl.tensor:
    """The ``column`` (int32) of `bench.data.counter_random.normal` for a key (int64)."""
    x = ((column >> 1) ^ key.to(tl.int32)) + (key >> 32).to(tl.int32)
    x = (x ^ ((x >> 16) & 0xFFFF)) * 0x7FEB352D
    x = (x ^ ((x >> 15) & 0x1FFFF)) * (0x846CA68B - (1 << 32))
    x = x ^ ((x >> 16) & 0xFFFF)
    return tl.load(quantiles + ((x >> ((column & 1) * 16)) & 0xFFF))


# A slice of ids begins anywhere: its alignment must not make another kernel, to be compiled amid training.
@triton.jit(do_not_specialize=["stream_key", "count", "columns"], do_not_specialize_on_alignment=["ids"])
def _draw(
    ids: tl.tensor, out: tl.tensor, stream_key: tl.tensor, count: tl.tensor, columns: tl.tensor, BLOCK: tl.constexpr
) -> tl.tensor:
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    key = mixed_key(tl.load(ids + place // columns, mask=inside, other=0), stream_key)
    column = (place % columns + 1).to(tl.int64)
    bits = _mix(key + column * _GOLDEN)
    tl.store(out + place, ((bits >> 40) & 0xFFFFFF).to(tl.float32) * (1.0 / (1 << 24)), mask=inside)


def draw(ids: Tensor, stream_key: int, columns: int) -> Tensor:
    """Uniform numbers in [0, 1), (B, columns) float32.

    Args:
        ids: int64, (B,).
        stream_key: an int64 for seed and stream.
        columns: numbers per id.
    """
    out = torch.empty(len(ids), columns, device=ids.device)
    count = out.numel()
    if count:
        with on_device_of(ids):
            _draw[triton.cdiv(count, _BLOCK),](
                ids.contiguous(), out, stream_key, count, columns, BLOCK=_BLOCK, enable_fp_fusion=False
            )
    return out
