"""One ray per thread to the nearest surface: `bench.data.synthetic.raycast` in registers, operation by operation."""

from __future__ import annotations

import triton
import triton.language as tl

FAR = tl.constexpr(1e9)
_NEAR = tl.constexpr(0.05)
_SHELL = tl.constexpr(6)
_ROUND = tl.constexpr(6)
_BLOCKS = tl.constexpr(2)


@triton.jit
def reciprocal(x: tl.tensor) -> tl.tensor:
    """1 / x, rounded as torch does."""
    return tl.div_rn(tl.full(x.shape, 1.0, tl.float32), x)


@triton.jit
def clamped(x: tl.tensor, low: tl.tensor, high: tl.tensor) -> tl.tensor:
    """``x``, at least ``low`` and at most ``high``."""
    return tl.minimum(tl.maximum(x, low), high)


@triton.jit
def _inverse(x: tl.tensor) -> tl.tensor:
    return clamped(reciprocal(x), -FAR, FAR)


@triton.jit
def _tagged(depth: tl.tensor, keep: tl.tensor, code: tl.tensor) -> tl.tensor:
    """Float32 numbers with ``code`` in those of their bits that ``keep`` (a mask) lacks."""
    return ((depth.to(tl.int32, bitcast=True) & keep) | code).to(tl.float32, bitcast=True)


@triton.jit
def _met(enter: tl.tensor, leave: tl.tensor) -> tl.tensor:
    """``enter``, pushed far away where a ray leaves before it enters, or leaves behind the camera."""
    return tl.maximum(enter, tl.maximum(tl.maximum(enter, _NEAR) - leave, 0.0) * (FAR * FAR))


@triton.jit
def _behind_walls(nearest: tl.tensor, inverse: tl.tensor, shell: tl.tensor, AXIS: tl.constexpr) -> tl.tensor:
    first = _tagged(inverse * tl.load(shell + AXIS), ~63, 8 * AXIS + AXIS)
    second = _tagged(inverse * tl.load(shell + 3 + AXIS), ~63, 8 * AXIS + 4 + AXIS)
    return tl.minimum(nearest, tl.maximum(first, second))


@triton.jit
def _between_sides(inverse: tl.tensor, box: tl.tensor, AXIS: tl.constexpr) -> tl.tensor:
    """Where a ray enters and leaves what lies between two sides of a box."""
    first, second = inverse * tl.load(box + AXIS), inverse * tl.load(box + 3 + AXIS)
    return _tagged(tl.minimum(first, second), ~3, AXIS), tl.maximum(first, second)


@triton.jit
def cast_room(
    x: tl.tensor, y: tl.tensor, z: tl.tensor, shell: tl.tensor, boxes: tl.tensor, BOXES: tl.constexpr
) -> tl.tensor:
    """`raycast.cast_room` for directions x, y, z; pointers to the corners of the room (6) and of boxes (BOXES, 6)."""
    inverse_x, inverse_y, inverse_z = _inverse(x), _inverse(y), _inverse(z)
    nearest = _behind_walls(tl.full(x.shape, FAR, tl.float32), inverse_x, shell, 0)
    nearest = _behind_walls(nearest, inverse_y, shell, 1)
    nearest = _behind_walls(nearest, inverse_z, shell, 2)
    for box in range(BOXES):
        enter, leave = _between_sides(inverse_x, boxes + 6 * box, 0)
        into, out = _between_sides(inverse_y, boxes + 6 * box, 1)
        enter, leave = tl.maximum(enter, into), tl.minimum(leave, out)
        into, out = _between_sides(inverse_z, boxes + 6 * box, 2)
        enter, leave = tl.maximum(enter, into), tl.minimum(leave, out)
        nearest = tl.minimum(nearest, _met(_tagged(enter, ~63 | 3, (_SHELL + box) * 4), leave))
    return nearest


@triton.jit
def _sum(columns: tl.tensor, rows: tl.tensor, number: tl.tensor, row: tl.tensor, column: tl.tensor,
         FINE: tl.constexpr) -> tl.tensor:  # fmt: skip
    """The plane of that number: what depends on the column and what on the row."""
    return tl.load(columns + number * FINE + column) + tl.load(rows + number * FINE + row)


@triton.jit
def cast_figure(
    row: tl.tensor, column: tl.tensor, columns: tl.tensor, rows: tl.tensor, constants: tl.tensor, eyes: tl.tensor,
    FINE: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """`raycast.cast_figure` for rays by row and column of the picture.

    Pointers: ``columns`` and ``rows`` to (24, FINE), a, b and climb of the round parts, then x, y, z of the blocks;
    ``constants`` to (4, 6) and ``eyes`` to (2, 3).
    """
    x = (column.to(tl.float32) + 0.5) * (2.0 / FINE) - 1
    y = 1 - (row.to(tl.float32) + 0.5) * (2.0 / FINE)
    nearest = tl.full(row.shape, FAR, tl.float32)
    for part in range(_ROUND):
        a = _sum(columns, rows, part, row, column, FINE) + x * y * tl.load(constants + part)
        b = _sum(columns, rows, _ROUND + part, row, column, FINE)
        climb = _inverse(_sum(columns, rows, 2 * _ROUND + part, row, column, FINE))
        root = b * b - a * tl.load(constants + _ROUND + part)
        missed = tl.minimum(root, 0.0) * (-FAR * FAR)
        root, a = tl.sqrt_rn(tl.maximum(root, 0.0)), _inverse(a)
        low, high = climb * tl.load(constants + 2 * _ROUND + part), climb * tl.load(constants + 3 * _ROUND + part)
        enter = tl.maximum((-b - root) * a, tl.minimum(low, high))
        leave = tl.minimum((root - b) * a, tl.maximum(low, high))
        nearest = tl.minimum(nearest, _tagged(tl.maximum(_met(enter, leave), missed), ~7, part))
    for block in range(_BLOCKS):
        enter, leave = tl.full(row.shape, -FAR, tl.float32), tl.full(row.shape, FAR, tl.float32)
        for axis in tl.static_range(3):
            inverse = _inverse(_sum(columns, rows, 3 * _ROUND + axis * _BLOCKS + block, row, column, FINE))
            start = tl.load(eyes + 3 * block + axis)
            low, high = inverse * (-1 - start), inverse * (1 - start)
            enter, leave = tl.maximum(enter, tl.minimum(low, high)), tl.minimum(leave, tl.maximum(low, high))
        nearest = tl.minimum(nearest, _tagged(_met(enter, leave), ~7, _ROUND + block))
    return nearest
