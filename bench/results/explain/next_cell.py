"""`NextCell`: which cells, run next, would reduce the uncertainty of a grid's cells most."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count as count_up

import numpy as np

from bench.results.explain.explained import Explained
from bench.results.explain.grid import SEED
from bench.results.explain.likelihood import covariance


@dataclass(frozen=True)
class NextCell:
    """A cell to run with a further seed.

    Attributes:
        model, loss: of it.
        seed: the first that it does not have, nor was named before it in a list of several.
        gain: share of what is unknown of all cells that the run would settle after those before, mean over metrics.
    """

    model: str
    loss: str
    seed: int
    gain: float


def next_cells(
    explained: Mapping[str, Explained], seeds: Mapping[tuple[str, str], Collection[int]], count: int = 5
) -> Sequence[NextCell]:
    """The cells that would reduce uncertainty most, in turn: each is chosen as if those before it had been run.

    Unknown of a cell is the mean of all its seeds, by variance; a run of a cell also says something of the cells that
    share its model or its loss.

    Args:
        explained: by metric.
        seeds: that cells have already.
        count: how many.
    """
    unknown = {name: covariance(found.grid, found.typical) for name, found in explained.items()}
    before = {name: float(np.trace(matrix)) for name, matrix in unknown.items()}
    taken = {cell: set(had) for cell, had in seeds.items()}
    chosen = []
    for _ in range(count):
        gains: dict[tuple[str, str], float] = {}
        for name, found in explained.items():
            matrix, noise = unknown[name], float(found.typical[SEED]) ** 2
            reduction = (matrix**2).sum(0) / (np.diagonal(matrix) + noise) / before[name] / len(explained)
            for place, gain in enumerate(reduction.tolist()):
                cell = _cell(found, place)
                gains[cell] = gains.get(cell, 0.0) + gain
        model, loss = max(sorted(gains), key=gains.__getitem__)
        had = taken.setdefault((model, loss), set())
        seed = next(seed for seed in count_up() if seed not in had)
        had.add(seed)
        chosen.append(NextCell(model, loss, seed, gains[model, loss]))
        for name, found in explained.items():
            if model in found.grid.models and loss in found.grid.losses:
                place = found.grid.models.index(model) * len(found.grid.losses) + found.grid.losses.index(loss)
                column = unknown[name][:, place]
                unknown[name] = unknown[name] - np.outer(column, column) / (
                    column[place] + float(found.typical[SEED]) ** 2
                )
    return chosen


def _cell(found: Explained, place: int) -> tuple[str, str]:
    model, loss = divmod(place, len(found.grid.losses))
    return found.grid.models[model], found.grid.losses[loss]
