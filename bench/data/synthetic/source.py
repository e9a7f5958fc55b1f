"""The default source: rooms and figures ray-cast in torch, with true depth, different for every sample."""

from __future__ import annotations

import copy
from typing import Any, Self

import torch
from torch import Tensor

from bench.data.camera import cameras
from bench.data.counter_random import integers
from bench.data.kernels.available import fused
from bench.data.source import Source, join
from bench.data.sources import sources
from bench.data.split import FRACTIONS, Part, split_pools
from bench.data.synthetic.figures import make_figures
from bench.data.synthetic.options import OPTIONS
from bench.data.synthetic.paint import paint_figure, paint_room
from bench.data.synthetic.raycast import FAR, cast_figure, cast_room
from bench.data.synthetic.rooms import make_rooms
from bench.data.synthetic.scene import Scenes, place_scenes
from bench.data.synthetic.tables import tables_of
from bench.data.synthetic.textures import atlas
from registry.contract import Quartet

METRES = 10.0
"""Depth 1.0."""
_OVERSAMPLING = 2
"""Rays per picture element along each axis."""
RAYS = {"cpu": 2**18, "cuda": 2**26}
"""At once: enough for the work to outweigh its launch, few enough to fit in memory."""
_WINDOW = (0.75, 0.625)
"""Height and width of the part of the picture in which the figure is looked for; `scenes` keeps figures smaller."""


class Synthetic(Source):
    """Rooms with furniture and a figure each.

    Args:
        seed: decides identities, split and samples.
        camera: a key of `bench.data.camera.cameras`.
        split: a rule of `bench.data.split`.
        empty_share: of the samples without a figure.
        rooms, figures: number of identities over all parts.
    """

    kind = "synthetic"
    encoding = "metric, 1.0 = 10 m"
    has_depth = True
    version = 1

    def __init__(
        self,
        seed: int = 0,
        camera: str = "handheld",
        split: str = "unseen-both",
        empty_share: float = 0.0,
        rooms: int = 400,
        figures: int = 400,
    ) -> None:
        self.seed, self.camera, self.device = seed, cameras.canonical(camera), torch.device("cpu")
        self.empty_share = empty_share
        self._rooms, self._figures = make_rooms(seed, rooms), make_figures(seed, figures)
        self._atlas = (atlas(seed) * 255).round().byte()
        self._pools: dict[Part, tuple[Tensor, Tensor]] = {}
        self.split = split_pools(
            {
                "background": {f"room{i:04d}": 1 for i in range(rooms)},
                "object": {f"figure{i:04d}": 1 for i in range(figures)},
            },
            seed,
            split,
            {"background": "rooms", "object": "figures"},
        )
        numbers = {
            pool: {part: [int(name[-4:]) for name in names] for part, names in shared.groups.items()}
            for pool, shared in self.split.pools.items()
        }
        for part in FRACTIONS:
            self._pools[part] = torch.tensor(numbers["background"][part]), torch.tensor(numbers["object"][part])

    def describe(self) -> dict[str, Any]:
        """Parameters, version of the scenes and sizes of the pools."""
        return {
            "kind": self.kind,
            "version": self.version,
            "seed": self.seed,
            "camera": self.camera,
            **self.split.describe(),
            "encoding": self.encoding,
            "rooms": len(self._rooms.size),
            "figures": len(self._figures.height),
            **({"empty_share": self.empty_share} if self.empty_share else {}),
        }

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Room and figure of each sample."""
        stream, ids = self.stream(part), ids.to(self.device)
        pools = self._pools[part]
        room, figure = (
            pool[integers(self.seed, f"{stream}/{name}", ids, len(pool))]
            for name, pool in zip(("room", "figure"), pools, strict=True)
        )
        return room, figure

    def shown(self, part: Part, ids: Tensor) -> dict[str, list[str]]:
        """Its room and its figure, by number: both depend on nothing but the seed."""
        made = f"synthetic {self.version} seed {self.seed}"
        what = zip(("background", "object"), self.groups(part, ids), ("room", "figure"), strict=True)
        return {name: [f"{made} {kind} {number}" for number in numbers.tolist()] for name, numbers, kind in what}

    def to(self, device: torch.device | str) -> Self:
        """The same scenes, rendered on another device."""
        moved = copy.copy(self)
        moved.device = torch.device(device)
        moved._rooms, moved._figures = self._rooms.to(device), self._figures.to(device)
        moved._atlas = self._atlas.to(device)
        moved._pools = {part: (rooms.to(device), figures.to(device)) for part, (rooms, figures) in self._pools.items()}
        return moved

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """The room without and with the figure, its mask, and true depth in units of 10 m."""
        room, figure = self.groups(part, ids)
        scenes = place_scenes(self._rooms.rows(room), self._figures.rows(figure), self.seed, self.stream(part), ids)
        step = max(1, RAYS.get(self.device.type, RAYS["cpu"]) // (size * _OVERSAMPLING) ** 2)
        empty = self.empty(part, ids)
        with fused(self._atlas, "scenes") as by_kernel:
            if by_kernel:
                return self._render_fused(scenes, size, empty)
        without = [None] * len(ids) if empty is None else list(torch.split(empty, step))
        return join([self._render(some, size, none) for some, none in zip(scenes.split(step), without, strict=False)])

    def _render_fused(self, scenes: Scenes, size: int, without: Tensor | None) -> Quartet:
        """As `_render`, in one kernel."""
        from bench.data.kernels.scenes import see

        fine = size * _OVERSAMPLING
        (tall, wide), starts = _window(scenes, fine)
        tables = tables_of(scenes, _centres(fine, self.device), starts, without)
        bg, bg_fg, mask, depth = see(tables, self._atlas, size, (tall, wide))
        return Quartet(bg, bg_fg, mask, depth, torch.ones_like(mask))

    def _render(self, scenes: Scenes, size: int, without: Tensor | None) -> Quartet:
        """Both photographs and the targets of scenes that fit in memory at once; some ``without`` (B,) their figure."""
        batch, fine = len(scenes.foot), size * _OVERSAMPLING
        centre = _centres(fine, self.device)
        # Every other row and column first: the rays of a pixel then lie at the same place of four quarters.
        order = torch.arange(fine, device=self.device).view(size, _OVERSAMPLING).T.reshape(-1)
        spread = centre[order].expand(batch, fine)
        rays = scenes.view.rays(spread, -spread)
        behind = cast_room(scenes.view, scenes.rooms, rays)
        empty, shadow = paint_room(scenes, rays, behind, self._atlas)

        if without is not None:
            shadow = torch.where(without[:, None, None], 1.0, shadow)
        place, depth, colour = self._see_figure(scenes, centre, torch.argsort(order), behind, without)
        full = empty * shadow[:, None]
        first = place + torch.div(place, fine * fine, rounding_mode="floor") * (2 * fine * fine)
        for channel in range(3):
            full.view(-1)[first + channel * fine * fine] = colour[channel]
        covered = torch.zeros_like(behind)
        covered.view(-1)[place] = 1.0
        front = torch.full_like(behind, -FAR)
        front.view(-1)[place] = -depth

        mask = _mean(covered[:, None])
        nearest = torch.stack(_quarters(front[:, None])).amax(0).neg_()
        room_depth = _quarters(behind[:, None])[0]
        metres = torch.where(mask >= 0.5, torch.minimum(nearest, room_depth), room_depth)
        return Quartet(
            bg=_mean(empty.clamp_(0, 1)),
            bg_fg=_mean(full.clamp_(0, 1)),
            mask=mask,
            depth=(metres / METRES).clamp_(0, 1),
            valid=torch.ones_like(mask),
        )

    def _see_figure(
        self, scenes: Scenes, centre: Tensor, order: Tensor, behind: Tensor, without: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The rays that meet the figure before anything else.

        Args:
            scenes: the scenes.
            centre: picture coordinates of columns in natural order, (2S,) float64.
            order: the place of each row and column in ``behind``, (2S,).
            behind: depth of the room, (B, 2S, 2S).
            without: which scenes have no figure, (B,) bool; None if all have a figure.

        Returns:
            places in the flattened ``behind`` (N,), depths in metres (N,), colours (3, N).
        """
        fine = len(centre)
        (tall, wide), (first_row, first_column) = _window(scenes, fine)
        rows = first_row[:, None] + torch.arange(tall, device=self.device)
        columns = first_column[:, None] + torch.arange(wide, device=self.device)
        x, y = centre[columns], -centre[rows]
        found = cast_figure(scenes.solids, x, y)
        if without is not None:
            found = torch.where(without[:, None, None], FAR, found)
        sample, row, column = torch.nonzero(found < behind.max(), as_tuple=True)
        depth = found[sample, row, column]
        place = (sample * fine + order[rows[sample, row]]) * fine + order[columns[sample, column]]
        in_front = (depth < behind.view(-1)[place]).nonzero()[:, 0]
        sample, row, column, depth, place = (t.index_select(0, in_front) for t in (sample, row, column, depth, place))
        return place, depth, paint_figure(scenes, (sample, row, column), x, y, depth, self._atlas)


@sources.register(options=OPTIONS)
def synthetic(**options: Any) -> Source:
    """Rooms with furniture and a figure each, rendered; true depth in metres."""
    return Synthetic(**options)


def _quarters(fine: Tensor) -> list[Tensor]:
    """The first, second, ... ray of every picture element: (B, C, 2H, 2W) to four views (B, C, H, W)."""
    height, width = (side // _OVERSAMPLING for side in fine.shape[-2:])
    starts = range(_OVERSAMPLING)
    return [fine[..., i * height : (i + 1) * height, j * width : (j + 1) * width] for i in starts for j in starts]


def _mean(fine: Tensor) -> Tensor:
    """The mean of the rays of every picture element, (B, C, 2H, 2W) to (B, C, H, W)."""
    first, *others = _quarters(fine)
    total = first.clone()
    for quarter in others:
        total += quarter
    return total.mul_(1 / _OVERSAMPLING**2)


def _centres(fine: int, device: torch.device) -> Tensor:
    """Picture coordinates of columns of rays, (fine,) float64."""
    return (torch.arange(fine, device=device, dtype=torch.float64) + 0.5) * (2 / fine) - 1


def _window(scenes: Scenes, fine: int) -> tuple[tuple[int, int], tuple[Tensor, Tensor]]:
    """Rows and columns of the window around the figure in which alone it is looked for, and the first of them."""
    tall, wide = (int(share * fine) for share in _WINDOW)
    starts = _window_start(-scenes.middle[:, 1], tall, fine), _window_start(scenes.middle[:, 0], wide, fine)
    return (tall, wide), starts


def _window_start(middle: Tensor, length: int, fine: int) -> Tensor:
    """First row or column of a window of that length around a picture coordinate, inside the picture, (B,) int64."""
    return (((middle + 1) / 2 * fine) - length / 2).round().long().clamp(0, fine - length)
