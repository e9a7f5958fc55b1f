"""Counter-based random numbers: every number is a pure function of (seed, stream, id, column).

No state and no order: a sample draws the same numbers in any batch, on any device, in any worker. `uniform` mixes
64-bit integers as SplitMix64 does (Steele, Lea, Flood 2014); `normal`, drawn for every pixel, mixes 32-bit integers
(a two-multiplication hash after Wellons), which vector units can multiply.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import torch
from torch import Tensor

from bench.data.kernels.available import fused

_NORMAL_BITS = 12


def _signed(value: int) -> int:
    """An unsigned 64-bit constant as the int64 with the same bits."""
    return value - (1 << 64) if value >= 1 << 63 else value


_GOLDEN = _signed(0x9E3779B97F4A7C15)
_MIX1 = _signed(0xBF58476D1CE4E5B9)
_MIX2 = _signed(0x94D049BB133111EB)


def _mix(x: Tensor) -> Tensor:
    """SplitMix64's finaliser on int64; the masks make the right shifts logical."""
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * _MIX1
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * _MIX2
    return x ^ ((x >> 31) & ((1 << 33) - 1))


@lru_cache(maxsize=1024)
def stream_key(seed: int, stream: str) -> int:
    """What seed and stream put into every hash: an int64."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return _signed(int.from_bytes(digest[:8], "little"))


def _keys(seed: int, stream: str, ids: Tensor) -> Tensor:
    """A well-mixed int64 per id, (B,)."""
    keys: Tensor = _mix(_mix(ids.long() * _GOLDEN + stream_key(seed, stream)))
    return keys


def uniform(seed: int, stream: str, ids: Tensor, n: int) -> Tensor:
    """Uniform numbers in [0, 1), (B, n) float32 with 24 random bits each, on the device of ``ids``.

    Args:
        seed: any integer.
        stream: what the numbers are for; different streams are independent.
        ids: int64, (B,).
        n: columns; a column's value does not depend on their number.
    """
    with fused(ids, "draws") as by_kernel:
        if by_kernel:
            from bench.data.kernels.draws import draw

            return draw(ids.long(), stream_key(seed, stream), n)
    columns = torch.arange(1, n + 1, device=ids.device) * _GOLDEN
    bits = _mix(_keys(seed, stream, ids)[:, None] + columns[None, :])
    fraction: Tensor = ((bits >> 40) & 0xFFFFFF).float() * 2.0**-24
    return fraction


def integers(seed: int, stream: str, ids: Tensor, below: int) -> Tensor:
    """An integer in [0, below) per id, (B,) int64, equally likely each (``below`` at most 2^20)."""
    return (uniform(seed, stream, ids, 1)[:, 0].double() * below).long()


def whole_numbers(draws: Tensor, low: int, high: int) -> Tensor:
    """Uniform draws in [0, 1), of any shape, to whole numbers from ``low`` to ``high``, float32, equally likely each.

    float32 rounds ``low`` plus the largest draw (one of 2^24) up to ``high + 1``, which is clamped.
    """
    return (low + draws * (high - low + 1)).floor().clamp(max=high)


@lru_cache(maxsize=8)
def quantiles(device: torch.device) -> Tensor:
    """The normal distribution's quantiles at the middles of 4096 equal slices, scaled to unit variance."""
    count = 1 << _NORMAL_BITS
    middles = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    table: Tensor = torch.special.ndtri(middles)
    return (table / table.square().mean().sqrt()).float().to(device)


def normal(seed: int, stream: str, ids: Tensor, n: int) -> Tensor:
    """Normal numbers of mean 0 and variance 1, (B, n) float32, for noise per pixel: 4096 levels, at most 3.7 from 0.

    Args:
        seed, stream, ids, n: as for `uniform`.
    """
    half = (n + 1) // 2
    keys = _keys(seed, stream, ids)
    columns = torch.arange(half, device=ids.device, dtype=torch.int32)
    x = (columns[None, :] ^ keys.int()[:, None]).add_(((keys >> 32).int())[:, None])
    x ^= (x >> 16) & 0xFFFF
    x *= 0x7FEB352D
    x ^= (x >> 15) & 0x1FFFF
    x *= 0x846CA68B - (1 << 32)
    x ^= (x >> 16) & 0xFFFF
    # One hash gives two columns: the lower bits of each of its halves.
    index = x.view(torch.int16).int().bitwise_and_((1 << _NORMAL_BITS) - 1)
    table = quantiles(ids.device)
    return table.index_select(0, index.view(-1)).view(len(ids), 2 * half)[:, :n]
