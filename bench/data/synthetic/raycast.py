"""One ray per picture element to the nearest surface of a room or of a figure, for a batch at once.

Written for few and cheap passes over the pixels: what differs per sample is worked out in float64 beforehand, the
number of a surface travels in the lowest bits of its depth so that a single minimum keeps both, and a row and a column
are added where a plane of products would do. Per pixel only operations are used that round the same in vector and
scalar code, so that a sample is the same bits in any batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.data.synthetic.families import BLOCKS, PARTS, ROUND
from bench.data.synthetic.rooms import SHELL, SURFACES, Rooms
from bench.data.synthetic.tensor_table import TensorTable

FAR = 1e9
_NEAR = 0.05
_CODE = 63
_AXIS = 3


@dataclass
class Cameras(TensorTable):
    """Cameras: the ray through picture coordinates x (right) and y (up), in [-1, 1], is forward + x right + y up.

    ``right`` and ``up`` include the half extent of the picture at depth 1, so that a ray's parameter is the depth in
    metres along the optical axis. All (B, 3) float64.
    """

    eye: Tensor
    forward: Tensor
    right: Tensor
    up: Tensor

    def rays(self, x: Tensor, y: Tensor) -> list[Tensor]:
        """World directions x, y, z, (B, H, W) float32 each, through columns ``x`` (B, W) and rows ``y`` (B, H)."""
        along = (self.forward[:, :, None] + self.right[:, :, None] * x[:, None]).float()
        across = (self.up[:, :, None] * y[:, None]).float()
        return [along[:, i, None, :] + across[:, i, :, None] for i in range(3)]


def per_sample(values: Tensor) -> Tensor:
    """(B,) numbers as float32 (B, 1, 1), to go with planes (B, H, W)."""
    return values.float()[:, None, None]


def _inverse(directions: Tensor, out: Tensor | None = None) -> Tensor:
    """Reciprocals, at most `FAR` in size.

    A ray parallel to a plane (about 1 in 1e8) has an infinite reciprocal, which `_tag` would make NaN; it
    must pass that plane far away and meet what lies behind.
    """
    return torch.reciprocal(directions, out=out).clamp_(-FAR, FAR)


def _tag(depth: Tensor, bits: int, code: int) -> None:
    """Put ``code`` into the lowest ``bits`` (a mask) of float32 numbers."""
    depth.view(torch.int32).bitwise_and_(~bits).bitwise_or_(code)


def cast_room(view: Cameras, rooms: Rooms, rays: list[Tensor]) -> Tensor:
    """Depth of the nearest surface of the room along each ray, (B, H, W) float32 in metres.

    The six lowest bits hold 4 * surface + axis of its normal, see `surface_code`.
    """
    inverse = [_inverse(ray) for ray in rays]
    nearest, enter, leave, first, second, third = (torch.empty_like(inverse[0]) for _ in range(6))
    boxes = [(corner - view.eye[:, None]).float()[..., None, None] for corner in (rooms.low, rooms.high)]
    shell = [(corner - view.eye)[:, None].float()[..., None, None] for corner in rooms.corners()]

    def meet(planes: list[Tensor], thing: int, axis: int) -> None:
        """Write the distances to a pair of planes, along each pixel's ray, to ``first`` and ``second``."""
        torch.mul(inverse[axis], planes[0][:, thing, axis], out=first)
        torch.mul(inverse[axis], planes[1][:, thing, axis], out=second)

    nearest.fill_(FAR)
    for axis in range(3):
        # The camera is inside: of two opposite walls that in front of it has the greater parameter.
        meet(shell, 0, axis)
        _tag(first, _CODE, (2 * axis) * 4 + axis)
        _tag(second, _CODE, (2 * axis + 1) * 4 + axis)
        torch.minimum(nearest, torch.maximum(first, second, out=first), out=nearest)
    for box in range(SURFACES - SHELL):
        for axis in range(3):
            meet(boxes, box, axis)
            into = torch.minimum(first, second, out=enter if axis == 0 else third)
            _tag(into, _AXIS, axis)
            out = torch.maximum(first, second, out=leave if axis == 0 else first)
            if axis > 0:
                torch.maximum(enter, into, out=enter)
                torch.minimum(leave, out, out=leave)
        enter.view(torch.int32).bitwise_and_(~_CODE | _AXIS).bitwise_or_((SHELL + box) * 4)
        _discard_missed(enter, leave, first)
        torch.minimum(nearest, enter, out=nearest)
    return nearest


def _discard_missed(enter: Tensor, leave: Tensor, scratch: Tensor) -> None:
    """Push ``enter`` far away where a ray leaves before it enters, or leaves behind the camera."""
    torch.clamp_min(enter, _NEAR, out=scratch).sub_(leave).clamp_min_(0).mul_(FAR * FAR)
    torch.maximum(enter, scratch, out=enter)


def surface_code(depth: Tensor) -> tuple[Tensor, Tensor]:
    """Surface and axis (0 x, 1 y, 2 z) that `cast_room` packed into its depths, int32 of the same shape."""
    code = depth.view(torch.int32) & _CODE
    return code >> 2, code & _AXIS


@dataclass
class Solids(TensorTable):
    """The parts of figures as rays of a view see them; (B, P, 3) float64 each, in each part's own coordinates.

    Attributes:
        eye, forward, right, up: the view.
        profile: as `Figures.profile`.
    """

    eye: Tensor
    forward: Tensor
    right: Tensor
    up: Tensor
    profile: Tensor


def cast_figure(solids: Solids, x: Tensor, y: Tensor) -> Tensor:
    """Depth of the nearest solid along each ray, (B, H, W) float32 in metres; `FAR`, or nearly so, without one.

    The three lowest bits hold the part.

    Args:
        solids: the figures' parts in the view.
        x, y: picture coordinates of columns (B, W) and rows (B, H), float64.
    """
    nearest = torch.full((x.shape[0], y.shape[1], x.shape[1]), FAR, device=x.device)
    xy = (x[:, None, :] * y[:, :, None]).float()
    columns, rows, constants = round_terms(solids, x[:, None], y[:, None])
    for part in range(ROUND):
        depth = _cast_round(columns[:, :, part], rows[:, :, part], constants[:, :, part], xy)
        _keep(nearest, depth, part)
    columns = (solids.forward[:, ROUND:, :, None] + solids.right[:, ROUND:, :, None] * x[:, None, None]).float()
    rows = (solids.up[:, ROUND:, :, None] * y[:, None, None]).float()
    for block in range(BLOCKS):
        eye = solids.eye[:, ROUND + block].float()
        _keep(nearest, _cast_block(columns[:, block], rows[:, block], eye), ROUND + block)
    return nearest


def _keep(nearest: Tensor, depth: Tensor, part: int) -> None:
    _tag(depth, PARTS - 1, part)
    torch.minimum(nearest, depth, out=nearest)


def _plane(column: Tensor, row: Tensor) -> Tensor:
    """(B, W) and (B, H) to their sums (B, H, W)."""
    return column[:, None, :] + row[:, :, None]


def round_terms(solids: Solids, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What `_cast_round` needs of all round parts, all float32.

    Along a ray x^2 + z^2 <= k0 + k1 y + k2 y^2 reads a t^2 + 2 b t + c <= 0, where a is a quadratic and b a linear
    function of the picture coordinates, as is the part's own y per unit of depth.

    Args:
        solids: the parts.
        x, y: (B, 1, W) and (B, 1, H) float64.

    Returns:
        (B, 3, R, W) and (B, 3, R, H): a, b and y per depth, split into what depends on the column and on the row;
        (B, 4, R): the factor of x y in a, c, and the parameters of the bottom and top planes times y per depth.
    """
    k0, k1, k2 = solids.profile[:, :ROUND, :, None].unbind(2)
    eye, forward, right, up = (
        v[:, :ROUND].unsqueeze(-1).unbind(2) for v in (solids.eye, solids.forward, solids.right, solids.up)
    )

    def form(p: tuple[Tensor, ...], q: tuple[Tensor, ...]) -> Tensor:
        """The bilinear form of the surface."""
        return p[0] * q[0] - k2 * p[1] * q[1] + p[2] * q[2]

    columns = [
        form(forward, forward) + x * (2 * form(forward, right) + x * form(right, right)),
        form(eye, forward) - k1 / 2 * forward[1] + x * (form(eye, right) - k1 / 2 * right[1]),
        forward[1] + x * right[1],
    ]
    rows = [
        y * (2 * form(forward, up) + y * form(up, up)),
        y * (form(eye, up) - k1 / 2 * up[1]),
        y * up[1],
    ]
    constants = [2 * form(right, up), form(eye, eye) - k0 - k1 * eye[1], -1 - eye[1], 1 - eye[1]]
    return (
        torch.stack(columns, dim=1).float(),
        torch.stack(rows, dim=1).float(),
        torch.stack(constants, dim=1).float()[..., 0],
    )


def _cast_round(columns: Tensor, rows: Tensor, constants: Tensor, xy: Tensor) -> Tensor:
    """Depth (B, H, W) where rays enter a round part, far away where they miss it; see `round_terms`."""
    mixed, c, bottom, top = constants[:, :, None, None].unbind(1)
    a, b, climb = (_plane(columns[:, term], rows[:, term]) for term in range(3))
    a.add_(xy * mixed)
    root = (b * b).sub_(a * c)
    # Where the square root would be of a negative number the ray misses.
    missed = root.clamp(max=0).mul_(-FAR * FAR)
    root.clamp_min_(0).sqrt_()
    _inverse(a, out=a)
    b.neg_()
    enter, leave = (b - root).mul_(a), b.add_(root).mul_(a)
    _inverse(climb, out=climb)
    low, high = torch.mul(climb, bottom, out=root), climb.mul_(top)
    torch.maximum(enter, torch.minimum(low, high, out=a), out=enter)
    torch.minimum(leave, torch.maximum(low, high, out=a), out=leave)
    _discard_missed(enter, leave, root)
    return torch.maximum(enter, missed, out=enter)


def _cast_block(columns: Tensor, rows: Tensor, eye: Tensor) -> Tensor:
    """Depth (B, H, W) where rays enter the cube [-1, 1]^3, far away where they miss it.

    Args:
        columns, rows: a ray's direction, (B, 3, W) + (B, 3, H).
        eye: where rays start, (B, 3).
    """
    enter = leave = torch.empty(0)
    for axis in range(3):
        directions = _plane(columns[:, axis], rows[:, axis])
        inverse = _inverse(directions, out=directions)
        start = eye[:, axis, None, None]
        low, high = inverse * (-1 - start), inverse.mul_(1 - start)
        into, out = torch.minimum(low, high), torch.maximum(low, high, out=high)
        enter = into if axis == 0 else torch.maximum(enter, into, out=enter)
        leave = out if axis == 0 else torch.minimum(leave, out, out=leave)
    _discard_missed(enter, leave, torch.empty_like(enter))
    return enter


def part_code(depth: Tensor) -> Tensor:
    """The part that `cast_figure` packed into its depths, int32 of the same shape."""
    return depth.view(torch.int32) & (PARTS - 1)
