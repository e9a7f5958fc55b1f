"""The colour of surfaces that rays meet: pattern and light."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.data.synthetic.families import PARTS, ROUND
from bench.data.synthetic.raycast import part_code, per_sample, surface_code
from bench.data.synthetic.rooms import PAINT, SURFACES
from bench.data.synthetic.scene import Scenes
from bench.data.synthetic.textures import LEVELS, TILE, level_table

_COLUMN = {name: number for number, name in enumerate(PAINT)}


def _gather(table: Tensor, index: Tensor) -> Tensor:
    """``table`` (n,) at int32 ``index`` of any shape."""
    return table.index_select(0, index.reshape(-1)).view(index.shape)


def _sample(atlas: Tensor, tile: Tensor, u: Tensor, v: Tensor, level: Tensor) -> Tensor:
    """Texture weights in [0, 1] where ``tile`` is painted at (u, v), repeating with period 1; float32.

    Args:
        atlas: see `textures.atlas`, as uint8 (tiles, texels).
        tile, u, v: float32 of the same shape.
        level: how often halved, int32 of that shape.
    """
    sides, offsets = level_table(atlas.device)
    side = _gather(sides, level)
    last = side - 1
    whole = side.float()
    column = (u - u.floor()).mul_(whole).int().minimum(last)
    row = (v - v.floor()).mul_(whole).int().minimum(last)
    index = row.mul_(side).add_(column).add_(_gather(offsets, level)).add_(tile.int().mul_(atlas.shape[1]))
    return _gather(atlas.view(-1), index).float().mul_(1 / 255)


def _level(footprint: Tensor) -> Tensor:
    """Halvings for a ray that covers so many texels: the whole part of the binary logarithm, int32."""
    return ((footprint.view(torch.int32) >> 23) - 127).clamp_(0, LEVELS - 1)


def paint_room(scenes: Scenes, rays: list[Tensor], depth: Tensor, atlas: Tensor) -> tuple[Tensor, Tensor]:
    """Colours and shadow of what `cast_room` met.

    Args:
        scenes: the scenes.
        rays: directions, see `Cameras.rays`.
        depth: (B, H, W) from `cast_room`.
        atlas: uint8, see `_sample`.

    Returns:
        colour (B, 3, H, W) of the empty room, and (B, H, W) what the figure's shadow on the floor leaves of it, (0, 1].
    """
    batch, height, width = depth.shape
    surface, axis = surface_code(depth)
    z_normal = (axis >> 1).float()
    y_normal = (axis & 1).float()
    x_normal = (1 - y_normal).sub_(z_normal)

    eye = scenes.view.eye
    x, y, z = (torch.mul(ray, depth).add_(per_sample(eye[:, i])) for i, ray in enumerate(rays))
    flat = surface.add_(torch.arange(batch, device=depth.device, dtype=torch.int32)[:, None, None] * SURFACES)
    table = scenes.rooms.paint.view(batch * SURFACES, len(PAINT)).T.contiguous()

    def paint(name: str) -> Tensor:
        """A column of the paint of each pixel's surface."""
        return _gather(table[_COLUMN[name]], flat)

    # Walls of constant x are painted along z and y, those of constant z along x and y, floors along x and z.
    along = (z - x).mul_(x_normal).add_(x)
    up = (z - y).mul_(y_normal).add_(y)
    scale = paint("u_scale")
    u = along.mul_(scale).add_(paint("u_offset"))
    v = up.mul_(paint("v_scale")).add_(paint("v_offset"))

    facing = (rays[0] * x_normal).add_(rays[1] * y_normal).add_(rays[2] * z_normal)
    step = scenes.view.up.square().sum(1).sqrt() * (2 * TILE / height)
    slant = facing.abs().reciprocal_().clamp_(max=8).add_(1)
    weight = _sample(atlas, paint("tile"), u, v, _level(scale.mul_(depth).mul_(slant).mul_(per_sample(step / 2))))

    lx, ly, lz = (per_sample(scenes.lamp[:, i]) - p for i, p in enumerate((x, y, z)))
    distance = (lx * lx).add_(ly * ly).add_(lz * lz)
    towards = lx.mul_(x_normal).add_(ly.mul_(y_normal)).add_(lz.mul_(z_normal))
    # Facing the lamp means: the lamp and the eye are on the same side of the surface.
    towards.mul_(facing.sign_()).neg_().clamp_min_(0).div_(distance.sqrt())
    shade = _illuminate(scenes.ambient[:, None, None], towards, distance)
    shade = torch.maximum(shade, paint("glow"), out=shade)

    ground = per_sample(1 / scenes.radius.square())
    near = x.sub_(per_sample(scenes.foot[:, 0])).square_().add_(z.sub_(per_sample(scenes.foot[:, 2])).square_())
    shadow = near.mul_(ground).neg_().add_(1).clamp_min_(0).square_()
    # Only what lies low is darkened: the floor and rugs.
    shadow.mul_(y.mul_(-20).add_(1.5).clamp_(0, 1)).mul_(-0.45).add_(1)

    colour = torch.empty(batch, 3, height, width, device=depth.device)
    for channel, (first, second) in enumerate((("r0", "r1"), ("g0", "g1"), ("b0", "b1"))):
        plane = torch.mul(paint(second), weight).add_(paint(first)).mul_(shade)
        torch.mul(plane, per_sample(scenes.light[:, channel]), out=colour[:, channel])
    return colour, shadow


def _illuminate(ambient: Tensor, towards: Tensor, distance: Tensor) -> Tensor:
    """Light on a surface: ambient, and the lamp's by squared distance and by the cosine of its slant."""
    lamp = (distance * (1 / 12)).add_(1).reciprocal_().mul_(((1 - ambient) * 1.5).float())
    return lamp.mul_(towards.mul(0.65).add_(0.35)).add_(ambient.float())


def paint_figure(
    scenes: Scenes, where: tuple[Tensor, Tensor, Tensor], x: Tensor, y: Tensor, depth: Tensor, atlas: Tensor
) -> Tensor:
    """Colours (3, N) of those places on figures.

    Args:
        scenes: the scenes.
        where: sample, row and column of each place, (N,) int64, counted in ``x`` and ``y``.
        x, y: picture coordinates of columns (B, W) and rows (B, H), float64.
        depth: (N,) from `cast_figure`.
        atlas: uint8, see `_sample`.
    """
    sample, row, column = where
    solids, figures = scenes.solids, scenes.figures
    part = part_code(depth)
    facts = torch.cat(
        [
            solids.eye, solids.forward, solids.right, solids.up, scenes.lampwards,
            scenes.metric, solids.profile, figures.colour.double(), figures.tile[..., None].double(),
        ],
        dim=-1,
    )  # fmt: skip
    owner = sample.int().mul_(PARTS).add_(part)
    columns = iter(facts.flatten(0, 1).T.float().contiguous())

    def take(count: int) -> list[Tensor]:
        """The next columns of each pixel's facts."""
        return [_gather(next(columns), owner) for _ in range(count)]

    def of_sample(values: Tensor) -> Tensor:
        """Each pixel's value of one that samples have."""
        return _gather(values.float(), sample.int())

    across, down = x[sample, column].float(), y[sample, row].float()
    eye, forward, right, up = (take(3) for _ in range(4))
    px, py, pz = (e + depth * (f + across * r + down * u) for e, f, r, u in zip(eye, forward, right, up, strict=True))
    lx, ly, lz = take(3)
    xx, yy, zz, xy, xz, yz = take(6)
    nx, ny, nz = _normal((px, py, pz), take(3), (part >= ROUND).float())
    squared = nx * (nx * xx + ny * xy + nz * xz) + ny * (ny * yy + nz * yz) + nz * nz * zz
    towards = ((nx * lx + ny * ly + nz * lz) / squared.clamp_min_(1e-12).sqrt_()).clamp_(0, 1)
    distance = of_sample((scenes.lamp - scenes.foot).square().sum(1))
    shade = _illuminate(of_sample(scenes.ambient), towards, distance)

    first, second, tile = take(3), take(3), take(1)[0]
    level = _gather((5.3 - torch.log2(scenes.span * 64)).clamp(0, LEVELS - 1).int(), sample.int())
    weight = _sample(atlas, tile, (px + pz) / 2, py / 2, level)
    fade = of_sample(scenes.fade)
    colour = []
    for channel in range(3):
        wall = of_sample(scenes.rooms.paint[:, 5, _COLUMN["r0"] + channel])
        own = first[channel] + weight * second[channel]
        own = own + fade * (wall - own)
        colour.append(own * shade * of_sample(scenes.light[:, channel]))
    return torch.stack(colour)


def _normal(place: tuple[Tensor, Tensor, Tensor], profile: list[Tensor], block: Tensor) -> list[Tensor]:
    """Outward normal, not of unit length, at a place on a part in its own coordinates; ``block`` is 1 on blocks."""
    (x, y, z), (k0, k1, k2) = place, profile
    # A place at an end of a tube is on its lid if it is not on its side; a ball has no lids.
    within = (x * x + z * z - k0 - y * (k1 + y * k2) < -1e-3).float() * (y.abs() > 0.999).float()
    # On a block the coordinate of greatest size determines the face.
    largest = torch.maximum(torch.maximum(x.abs(), y.abs()), z.abs())
    faces = [(p.abs() >= largest).float() * p for p in (x, y, z)]
    lids = [torch.zeros_like(x), y, torch.zeros_like(x)]
    sides = [x, -(k1 / 2 + k2 * y), z]
    return [
        block * face + (1 - block) * (within * lid + (1 - within) * side)
        for face, lid, side in zip(faces, lids, sides, strict=True)
    ]
