"""Scenes as `bench.data.kernels.scenes` reads them: float32 tables with a row per sample."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.data.synthetic.families import ROUND
from bench.data.synthetic.raycast import round_terms
from bench.data.synthetic.rooms import PAINT
from bench.data.synthetic.scene import Scenes
from bench.data.synthetic.textures import LEVELS, TILE

_WALL = 5
"""The surface towards whose colour figures fade."""


def tables_of(
    scenes: Scenes, centre: Tensor, window: tuple[Tensor, Tensor], without: Tensor | None
) -> dict[str, Tensor]:
    """Everything that a ray of these scenes can ask for, in the precision in which it is asked.

    Args:
        scenes: the scenes.
        centre: picture coordinates of columns, (F,) float64; rows have the same, downwards.
        window: first row and column in which the figure is looked for, (B,) each.
        without: which scenes have no figure, (B,) bool; None if all have a figure.

    Returns:
        ``facts`` (B, 24) as `kernels.surfaces.FACTS` lists them; ``along`` and ``across`` (B, 3, F), the directions of
        rays; ``shell`` (B, 6) and ``boxes`` (B, K, 6), corners seen from the eye; ``paint`` (B, 6 + K, 12); ``columns``
        and ``rows`` (B, 24, F), ``constants`` (B, 4, 6) and ``eyes`` (B, 2, 3), see `raycast.round_terms`; ``parts``
        (B, P, 31) as `kernels.surfaces.PART_FACTS` lists them.
    """
    view, solids, rooms, figures = scenes.view, scenes.solids, scenes.rooms, scenes.figures
    x, y = centre.expand(1, 1, -1), -centre.expand(1, 1, -1)
    round_columns, round_rows, constants = round_terms(solids, x, y)
    block_columns = solids.forward[:, ROUND:, :, None] + solids.right[:, ROUND:, :, None] * x[:, None]
    block_rows = solids.up[:, ROUND:, :, None] * y[:, None]
    corners = [corner - view.eye for corner in rooms.corners()]
    tables = {
        "facts": _facts(scenes, len(centre), window, without),
        "along": view.forward[:, :, None] + view.right[:, :, None] * x,
        "across": view.up[:, :, None] * y,
        "shell": torch.cat(corners, dim=1),
        "boxes": torch.cat([corner - view.eye[:, None] for corner in (rooms.low, rooms.high)], dim=2),
        "paint": rooms.paint,
        "columns": torch.cat([round_columns.flatten(1, 2), _by_axis(block_columns)], dim=1),
        "rows": torch.cat([round_rows.flatten(1, 2), _by_axis(block_rows)], dim=1),
        "constants": constants,
        "eyes": solids.eye[:, ROUND:],
        "parts": torch.cat(
            [
                solids.eye, solids.forward, solids.right, solids.up, scenes.lampwards,
                scenes.metric, solids.profile, figures.colour.double(), figures.tile[..., None].double(),
            ],
            dim=-1,
        ),
    }  # fmt: skip
    return {name: table.float().contiguous() for name, table in tables.items()}


def _by_axis(directions: Tensor) -> Tensor:
    """(B, P, 3, F) to (B, 3 * P, F) float32."""
    return directions.float().transpose(1, 2).flatten(1, 2)


def _facts(scenes: Scenes, fine: int, window: tuple[Tensor, Tensor], without: Tensor | None) -> Tensor:
    """`kernels.surfaces.FACTS` of each sample, (B, 24)."""
    texels = scenes.view.up.square().sum(1).sqrt() * (2 * TILE / fine)
    first = PAINT.index("r0")
    numbers = [
        scenes.view.eye,
        texels / 2,
        scenes.lamp,
        scenes.ambient,
        (1 - scenes.ambient) * 1.5,
        1 / scenes.radius.square(),
        scenes.foot[:, 0::2],
        scenes.light,
        (scenes.lamp - scenes.foot).square().sum(1),
        (5.3 - torch.log2(scenes.span * 64)).clamp(0, LEVELS - 1).floor(),
        scenes.fade,
        scenes.rooms.paint[:, _WALL, first : first + 3],
        torch.zeros_like(scenes.span) if without is None else without,
        *window,
    ]
    return torch.cat([n.double() if n.ndim == 2 else n.double()[:, None] for n in numbers], dim=1)
