"""The colour of what rays meet: `bench.data.synthetic.paint` in registers, operation by operation."""

from __future__ import annotations

import triton
import triton.language as tl

from bench.data.kernels.rays import clamped, reciprocal

_TILE = tl.constexpr(128)
_LEVELS = tl.constexpr(6)
_PAINT = tl.constexpr(12)
_ROUND = tl.constexpr(6)
FACTS = tl.constexpr(24)
"""Numbers a sample: eye, texels a metre, lamp, ambient, lamplight, shadow, foot x and z, light, squared distance of
figure and lamp, texture level, fade, the wall's colour, whether it is without a figure, first row and column of the
figure's window."""
PART_FACTS = tl.constexpr(31)
"""Numbers a part of a figure: eye, forward, right, up, lampwards, metric, profile, colours, tile."""


@triton.jit
def _texture(
    atlas: tl.tensor, tile: tl.tensor, u: tl.tensor, v: tl.tensor, level: tl.tensor, TEXELS: tl.constexpr
) -> tl.tensor:
    side = _TILE >> level
    column = tl.minimum(((u - tl.floor(u)) * side.to(tl.float32)).to(tl.int32), side - 1)
    row = tl.minimum(((v - tl.floor(v)) * side.to(tl.float32)).to(tl.int32), side - 1)
    before = (4 * _TILE * _TILE - 4 * side * side) // 3
    at = row * side + column + before + tile.to(tl.int32) * TEXELS
    return tl.load(atlas + at).to(tl.float32) * (1 / 255)


@triton.jit
def _light(facts: tl.tensor, towards: tl.tensor, distance: tl.tensor) -> tl.tensor:
    lamp = reciprocal(distance * (1 / 12) + 1) * tl.load(facts + 8)
    return lamp * (towards * 0.65 + 0.35) + tl.load(facts + 7)


@triton.jit
def paint_room(
    facts: tl.tensor, paint: tl.tensor, atlas: tl.tensor, depth: tl.tensor, rx: tl.tensor, ry: tl.tensor,
    rz: tl.tensor, TEXELS: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """`paint.paint_room` where rays of those directions met the room: red, green, blue, and what a shadow leaves."""
    code = depth.to(tl.int32, bitcast=True) & 63
    surface, axis = paint + (code >> 2) * _PAINT, code & 3
    x = rx * depth + tl.load(facts)
    y = ry * depth + tl.load(facts + 1)
    z = rz * depth + tl.load(facts + 2)
    scale = tl.load(surface)
    # Selecting instead of weighing: as (z - x) * 1 + x rounds, so must this.
    u = tl.where(axis == 0, (z - x) + x, x) * scale + tl.load(surface + 1)
    v = tl.where(axis == 1, (z - y) + y, y) * tl.load(surface + 2) + tl.load(surface + 3)
    facing = tl.where(axis == 0, rx, tl.where(axis == 1, ry, rz))
    slant = tl.minimum(reciprocal(tl.abs(facing)), 8.0) + 1
    footprint = scale * depth * slant * tl.load(facts + 3)
    level = clamped((footprint.to(tl.int32, bitcast=True) >> 23) - 127, 0, _LEVELS - 1)
    weight = _texture(atlas, tl.load(surface + 4), u, v, level, TEXELS)

    lx, ly, lz = tl.load(facts + 4) - x, tl.load(facts + 5) - y, tl.load(facts + 6) - z
    distance = lx * lx + ly * ly + lz * lz
    towards = tl.where(axis == 0, lx, tl.where(axis == 1, ly, lz))
    towards = towards * tl.where(facing > 0, 1.0, tl.where(facing < 0, -1.0, 0.0))
    towards = tl.div_rn(tl.maximum(-towards, 0.0), tl.sqrt_rn(distance))
    shade = tl.maximum(_light(facts, towards, distance), tl.load(surface + 5))

    dx, dz = x - tl.load(facts + 10), z - tl.load(facts + 11)
    near = tl.maximum(1 - (dx * dx + dz * dz) * tl.load(facts + 9), 0.0)
    shadow = near * near * clamped(y * -20 + 1.5, 0.0, 1.0) * -0.45 + 1
    red = (tl.load(surface + 9) * weight + tl.load(surface + 6)) * shade * tl.load(facts + 12)
    green = (tl.load(surface + 10) * weight + tl.load(surface + 7)) * shade * tl.load(facts + 13)
    blue = (tl.load(surface + 11) * weight + tl.load(surface + 8)) * shade * tl.load(facts + 14)
    return red, green, blue, shadow


@triton.jit
def _on_part(part: tl.tensor, first: tl.tensor, depth: tl.tensor, right: tl.tensor, up: tl.tensor) -> tl.tensor:
    """A coordinate of where a ray meets a part, in the part's own coordinates."""
    at = part + first
    return tl.load(at) + depth * (tl.load(at + 3) + right * tl.load(at + 6) + up * tl.load(at + 9))


@triton.jit
def _normal(x: tl.tensor, y: tl.tensor, z: tl.tensor, part: tl.tensor, block: tl.tensor) -> tl.tensor:
    """`paint._normal`."""
    k0, k1, k2 = tl.load(part + 21), tl.load(part + 22), tl.load(part + 23)
    lid = (x * x + z * z - k0 - y * (k1 + y * k2) < -1e-3) & (tl.abs(y) > 0.999)
    largest = tl.maximum(tl.maximum(tl.abs(x), tl.abs(y)), tl.abs(z))
    nx = tl.where(block, tl.where(tl.abs(x) >= largest, x, 0.0), tl.where(lid, 0.0, x))
    ny = tl.where(block, tl.where(tl.abs(y) >= largest, y, 0.0), tl.where(lid, y, -(k1 * 0.5 + k2 * y)))
    nz = tl.where(block, tl.where(tl.abs(z) >= largest, z, 0.0), tl.where(lid, 0.0, z))
    return nx, ny, nz


@triton.jit
def _figure_colour(
    facts: tl.tensor, part: tl.tensor, weight: tl.tensor, shade: tl.tensor, CHANNEL: tl.constexpr
) -> tl.tensor:
    own = tl.load(part + 24 + CHANNEL) + weight * tl.load(part + 27 + CHANNEL)
    own = own + tl.load(facts + 17) * (tl.load(facts + 18 + CHANNEL) - own)
    return own * shade * tl.load(facts + 12 + CHANNEL)


@triton.jit
def paint_figure(
    facts: tl.tensor, parts: tl.tensor, atlas: tl.tensor, depth: tl.tensor, right: tl.tensor, up: tl.tensor,
    TEXELS: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """`paint.paint_figure` where rays through picture coordinates (right, up) met the figure: red, green, blue."""
    number = depth.to(tl.int32, bitcast=True) & 7
    part = parts + number * PART_FACTS
    x = _on_part(part, 0, depth, right, up)
    y = _on_part(part, 1, depth, right, up)
    z = _on_part(part, 2, depth, right, up)
    nx, ny, nz = _normal(x, y, z, part, number >= _ROUND)
    xx, yy, zz = tl.load(part + 15), tl.load(part + 16), tl.load(part + 17)
    xy, xz, yz = tl.load(part + 18), tl.load(part + 19), tl.load(part + 20)
    squared = nx * (nx * xx + ny * xy + nz * xz) + ny * (ny * yy + nz * yz) + nz * nz * zz
    towards = nx * tl.load(part + 12) + ny * tl.load(part + 13) + nz * tl.load(part + 14)
    towards = clamped(tl.div_rn(towards, tl.sqrt_rn(tl.maximum(squared, 1e-12))), 0.0, 1.0)
    shade = _light(facts, towards, tl.load(facts + 15))
    level = tl.load(facts + 16).to(tl.int32)
    weight = _texture(atlas, tl.load(part + 30), (x + z) * 0.5, y * 0.5, level, TEXELS)
    red = _figure_colour(facts, part, weight, shade, 0)
    green = _figure_colour(facts, part, weight, shade, 1)
    blue = _figure_colour(facts, part, weight, shade, 2)
    return red, green, blue
