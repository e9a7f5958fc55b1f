"""Rooms and figures from tables to pictures in one pass: each thread follows the four rays of a picture element."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from bench.data.kernels.available import on_device_of
from bench.data.kernels.rays import FAR, cast_figure, cast_room, clamped
from bench.data.kernels.surfaces import FACTS, PART_FACTS, paint_figure, paint_room

_BLOCK = 128


@triton.jit
def _see(
    bg: tl.tensor, bg_fg: tl.tensor, mask: tl.tensor, depth: tl.tensor,
    facts: tl.tensor, along: tl.tensor, across: tl.tensor, shell: tl.tensor, boxes: tl.tensor, paint: tl.tensor,
    columns: tl.tensor, rows: tl.tensor, constants: tl.tensor, eyes: tl.tensor, parts: tl.tensor, atlas: tl.tensor,
    SIZE: tl.constexpr, BOXES: tl.constexpr, TEXELS: tl.constexpr, TALL: tl.constexpr, WIDE: tl.constexpr,
    BLOCK: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    FINE: tl.constexpr = 2 * SIZE
    PIXELS: tl.constexpr = SIZE * SIZE
    tiles = tl.cdiv(PIXELS, BLOCK)
    sample = (tl.program_id(0) // tiles).to(tl.int64)
    first = (tl.program_id(0) % tiles) * BLOCK
    pixel = first + tl.arange(0, BLOCK)
    inside = pixel < PIXELS
    place = tl.minimum(pixel, PIXELS - 1)

    facts += sample * FACTS
    along += sample * (3 * FINE)
    across += sample * (3 * FINE)
    columns += sample * (24 * FINE)
    rows += sample * (24 * FINE)
    window_row, window_column = tl.load(facts + 22).to(tl.int32), tl.load(facts + 23).to(tl.int32)
    last = tl.minimum(first + BLOCK, PIXELS) - 1
    looks = (tl.load(facts + 21) == 0) & (2 * (last // SIZE) + 1 >= window_row)
    looks = looks & (2 * (first // SIZE) < window_row + TALL)

    nothing = tl.zeros([BLOCK], tl.float32)
    bg_red, bg_green, bg_blue, red, green, blue = nothing, nothing, nothing, nothing, nothing, nothing
    share, room_depth = nothing, nothing
    nearest = tl.full([BLOCK], FAR, tl.float32)
    for ray in range(4):
        row, column = 2 * (place // SIZE) + ray // 2, 2 * (place % SIZE) + ray % 2
        rx = tl.load(along + column) + tl.load(across + row)
        ry = tl.load(along + FINE + column) + tl.load(across + FINE + row)
        rz = tl.load(along + 2 * FINE + column) + tl.load(across + 2 * FINE + row)
        behind = cast_room(rx, ry, rz, shell + sample * 6, boxes + sample * (6 * BOXES), BOXES)
        r, g, b, shadow = paint_room(facts, paint + sample * ((6 + BOXES) * 12), atlas, behind, rx, ry, rz, TEXELS)
        bg_red += clamped(r, 0.0, 1.0)
        bg_green += clamped(g, 0.0, 1.0)
        bg_blue += clamped(b, 0.0, 1.0)
        room_depth = tl.where(ray == 0, behind, room_depth)
        shadow = tl.where(tl.load(facts + 21) == 0, shadow, 1.0)
        r, g, b = r * shadow, g * shadow, b * shadow
        if looks:
            found = cast_figure(row, column, columns, rows, constants + sample * 24, eyes + sample * 6, FINE)
            seen = (row >= window_row) & (row < window_row + TALL)
            seen = seen & (column >= window_column) & (column < window_column + WIDE) & (found < behind)
            if tl.max(seen.to(tl.int32), 0) > 0:
                x = (column.to(tl.float32) + 0.5) * (2.0 / FINE) - 1
                y = 1 - (row.to(tl.float32) + 0.5) * (2.0 / FINE)
                fr, fg, fb = paint_figure(facts, parts + sample * (8 * PART_FACTS), atlas, found, x, y, TEXELS)
                r, g, b = tl.where(seen, fr, r), tl.where(seen, fg, g), tl.where(seen, fb, b)
                share += tl.where(seen, 0.25, 0.0)
                nearest = tl.where(seen, tl.minimum(nearest, found), nearest)
        red += clamped(r, 0.0, 1.0)
        green += clamped(g, 0.0, 1.0)
        blue += clamped(b, 0.0, 1.0)

    metres = tl.where(share >= 0.5, tl.minimum(nearest, room_depth), room_depth)
    metres = tl.div_rn(metres, tl.full([BLOCK], 10.0, tl.float32))
    tl.store(mask + sample * PIXELS + pixel, share, mask=inside)
    tl.store(depth + sample * PIXELS + pixel, clamped(metres, 0.0, 1.0), mask=inside)
    bg += sample * (3 * PIXELS) + pixel
    tl.store(bg, bg_red * 0.25, mask=inside)
    tl.store(bg + PIXELS, bg_green * 0.25, mask=inside)
    tl.store(bg + 2 * PIXELS, bg_blue * 0.25, mask=inside)
    bg_fg += sample * (3 * PIXELS) + pixel
    tl.store(bg_fg, red * 0.25, mask=inside)
    tl.store(bg_fg + PIXELS, green * 0.25, mask=inside)
    tl.store(bg_fg + 2 * PIXELS, blue * 0.25, mask=inside)


def see(tables: dict[str, Tensor], atlas: Tensor, size: int, window: tuple[int, int]) -> tuple[Tensor, ...]:
    """Both photographs (B, 3, S, S), mask and depth in units of 10 m (B, 1, S, S).

    Args:
        tables: see `bench.data.synthetic.tables.tables_of`.
        atlas: see `bench.data.synthetic.textures.atlas`, as uint8.
        size: side of the pictures.
        window: rows and columns of rays in which the figure is looked for.
    """
    batch, device = len(tables["facts"]), atlas.device
    bg, bg_fg = (torch.empty(batch, 3, size, size, device=device) for _ in range(2))
    mask, depth = (torch.empty(batch, 1, size, size, device=device) for _ in range(2))
    with on_device_of(atlas):
        _see[batch * triton.cdiv(size * size, _BLOCK),](
            bg, bg_fg, mask, depth, **tables, atlas=atlas, SIZE=size, BOXES=tables["boxes"].shape[1],
            TEXELS=atlas.shape[1], TALL=window[0], WIDE=window[1], BLOCK=_BLOCK, enable_fp_fusion=False,
        )  # fmt: skip
    return bg, bg_fg, mask, depth
