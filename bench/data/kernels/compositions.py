"""Objects pasted on photographs with the depth of both, in one pass: what `bench.data.composed` computes in torch."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from bench.data.kernels.available import on_device_of

_BLOCK = 256


@triton.jit
def _texel(canvas: tl.tensor, row: tl.tensor, column: tl.tensor, share: tl.tensor, SIDE: tl.constexpr) -> tl.tensor:
    """``share`` of a canvas, which is nothing beyond its rim."""
    on = (row >= 0) & (row < SIDE) & (column >= 0) & (column < SIDE)
    return tl.load(canvas + row * SIDE + column, mask=on, other=0.0).to(tl.float32) * share


@triton.jit
def _pasted(canvas: tl.tensor, y: tl.tensor, x: tl.tensor, SIDE: tl.constexpr) -> tl.tensor:
    """Bilinear values of a canvas (SIDE, SIDE) at float coordinates."""
    left, top = tl.floor(x), tl.floor(y)
    across, down = x - left, y - top
    column, row = left.to(tl.int32), top.to(tl.int32)
    total = _texel(canvas, row, column, (1 - across) * (1 - down), SIDE)
    total += _texel(canvas, row, column + 1, across * (1 - down), SIDE)
    total += _texel(canvas, row + 1, column, (1 - across) * down, SIDE)
    return total + _texel(canvas, row + 1, column + 1, across * down, SIDE)


@triton.jit
def _standing(depths: tl.tensor, around: tl.tensor, COUNT: tl.constexpr) -> tl.tensor:
    """The median of what is known at COUNT <= 32 pixels, the lower of two; infinite if nothing is."""
    number = tl.arange(0, 32)
    value = tl.load(depths + tl.load(around + number, mask=number < COUNT, other=0))
    known = (number < COUNT) & (value >= 0)
    value = tl.where(known, value, float("inf"))
    less = value[None, :] < value[:, None]
    before = (value[None, :] == value[:, None]) & (number[None, :] < number[:, None])
    rank = tl.sum((less | before).to(tl.int32), 1)
    middle = tl.maximum((tl.sum(known.to(tl.int32), 0) - 1) // 2, 0)
    return tl.min(tl.where(rank == middle, value, float("inf")), 0)


@triton.jit(do_not_specialize_on_alignment=["background", "canvas"])
def _compose(
    bg: tl.tensor, bg_fg: tl.tensor, mask: tl.tensor, depth: tl.tensor, valid: tl.tensor,
    photographs: tl.tensor, depths: tl.tensor, background: tl.tensor, canvases: tl.tensor, canvas: tl.tensor,
    places: tl.tensor, around: tl.tensor,
    SIZE: tl.constexpr, SIDE: tl.constexpr, DEEP: tl.constexpr, TAPS: tl.constexpr, BLOCK: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    PIXELS: tl.constexpr = SIZE * SIZE
    tiles = tl.cdiv(PIXELS, BLOCK)
    sample = (tl.program_id(0) // tiles).to(tl.int64)
    pixel = (tl.program_id(0) % tiles) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < PIXELS
    places += sample * 5
    photographs += tl.load(background + sample) * (3 * PIXELS)
    canvases += tl.load(canvas + sample) * (4 * SIDE * SIDE)
    x = ((pixel % SIZE).to(tl.float32) + 0.5) / SIZE * tl.load(places + 2) + tl.load(places) - 0.5
    y = ((pixel // SIZE).to(tl.float32) + 0.5) / SIZE * tl.load(places + 3) + tl.load(places + 1) - 0.5
    shown = tl.load(places + 4)
    alpha = _pasted(canvases + 3 * SIDE * SIDE, y, x, SIDE) * shown
    for channel in tl.static_range(3):
        at = sample * (3 * PIXELS) + channel * PIXELS + pixel
        colour = tl.load(photographs + channel * PIXELS + pixel, mask=inside, other=0).to(tl.float32) * (1 / 255)
        tl.store(bg + at, colour, mask=inside)
        colour = colour * (1 - alpha) + _pasted(canvases + channel * SIDE * SIDE, y, x, SIDE) * shown
        tl.store(bg_fg + at, tl.minimum(tl.maximum(colour, 0.0), 1.0), mask=inside)
    at = sample * PIXELS + pixel
    tl.store(mask + at, alpha, mask=inside)
    if DEEP:
        depths += tl.load(background + sample) * PIXELS
        stands = _standing(depths, around + sample * TAPS, TAPS)
        behind = tl.load(depths + pixel, mask=inside, other=0.0)
        behind = tl.where(behind >= 0, behind, float("inf"))
        nearer = tl.where(alpha > 0.5, stands, behind)
        known = nearer < float("inf")
        tl.store(depth + at, tl.where(known, tl.minimum(nearer, behind), 0.0), mask=inside)
        tl.store(valid + at, known.to(tl.float32), mask=inside)


def compose(
    photographs: Tensor,
    background: Tensor,
    canvases: Tensor,
    canvas: Tensor,
    places: Tensor,
    depths: Tensor | None,
    around: Tensor | None,
) -> list[Tensor]:
    """Photographs without and with an object (B, 3, S, S), its alpha (B, 1, S, S), and with depth that and its mask.

    Args:
        photographs: (N, 3, S, S) uint8.
        background: which of them, (B,) int64.
        canvases: (M, 4, C, C) float16, see `bench.data.composed.decoded.Cutouts`.
        canvas: which of them, (B,) int64.
        places: (B, 5) float32: canvas coordinates x, y of the picture's upper left corner, canvas pixels to a picture
            across and down, and 1 or, where nothing is pasted, 0.
        depths: (N, S, S) float32, -1 where unknown; None without depth.
        around: at most 32 pixels (B, T), numbers of a picture's, whose median depth the object takes; None without.
    """
    batch, size = len(background), photographs.shape[-1]
    device, planes = photographs.device, (3, 3, 1) if depths is None else (3, 3, 1, 1, 1)
    made = [torch.empty(batch, channels, size, size, device=device) for channels in planes]
    bg, bg_fg, mask, depth, valid = made if depths is not None else [*made, made[2], made[2]]
    with on_device_of(photographs):
        _compose[batch * triton.cdiv(size * size, _BLOCK),](
            bg, bg_fg, mask, depth, valid, photographs.contiguous(), photographs if depths is None else depths,
            background, canvases, canvas, places.contiguous(), background if around is None else around.contiguous(),
            SIZE=size, SIDE=canvases.shape[-1], DEEP=depths is not None,
            TAPS=1 if around is None else around.shape[1], BLOCK=_BLOCK, enable_fp_fusion=False,
        )  # fmt: skip
    return made
