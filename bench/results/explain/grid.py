"""`Grid`: the figures of a metric by model, loss and seed; cells may be missing, with any number of seeds each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench.results.stats.student import Values

MODEL, LOSS, INTERACTION, SEED = range(4)
"""Places of the variances in an array of them."""

Cell = tuple[str, str, Sequence[float]]
"""A model, a loss, and the figure of each seed."""


@dataclass(frozen=True)
class Grid:
    """Cells of models and losses.

    Attributes:
        cells: at most one for each model and loss, with at least one seed.
    """

    cells: Sequence[Cell]

    @cached_property
    def models(self) -> list[str]:
        """In alphabetical order."""
        return sorted({model for model, _, _ in self.cells})

    @cached_property
    def losses(self) -> list[str]:
        """In alphabetical order."""
        return sorted({loss for _, loss, _ in self.cells})

    @cached_property
    def means(self) -> Values:
        """Mean over seeds, (cells,)."""
        return np.array([np.mean(figures) for _, _, figures in self.cells])

    @cached_property
    def seeds(self) -> Values:
        """How many of each cell, (cells,)."""
        return np.array([float(len(figures)) for _, _, figures in self.cells])

    @cached_property
    def within(self) -> float:
        """Sum of squares of seeds about their cells' means."""
        return float(sum(((np.asarray(figures) - np.mean(figures)) ** 2).sum() for _, _, figures in self.cells))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of `within`."""
        return float(self.seeds.sum()) - len(self.cells)

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the figures of all runs, above 0; the scale of everything that is estimated."""
        figures = np.concatenate([np.asarray(figures) for _, _, figures in self.cells])
        return float(figures.std()) or 1e-6

    @cached_property
    def incidence(self) -> Values:
        """Which model and which loss each cell has, (cells, models + losses), of 0 and 1."""
        rows = np.zeros((len(self.cells), len(self.models) + len(self.losses)))
        for row, (model, loss, _) in enumerate(self.cells):
            rows[row, self.models.index(model)] = rows[row, len(self.models) + self.losses.index(loss)] = 1
        return rows

    @cached_property
    def separable(self) -> npt.NDArray[np.bool_]:
        """Which variances the grid identifies, (4,); the others are part of those."""
        models, losses, cells = len(self.models), len(self.losses), len(self.cells)
        by_model = models > 1
        by_loss = losses > 1 and not (models == losses == cells)
        several_each = cells > max(models, losses)
        interaction = by_model and by_loss and several_each and self.freedom > 0
        return np.array([by_model, by_loss, interaction, True])

    @property
    def notes(self) -> list[str]:
        """Why something is not identified, and what to run."""
        found = []
        models, losses, cells = len(self.models), len(self.losses), len(self.cells)
        if losses == 1:
            found.append(f"a single loss, {self.losses[0]}: run the models under a second to learn what losses do")
        elif models == losses == cells:
            found.append(
                "every model has a loss of its own, so that losses count as models: run a model under two losses"
            )
        if models == 1:
            found.append(f"a single model, {self.models[0]}: run a second to learn what models do")
        if self.freedom == 0:
            found.append(
                "no cell has two seeds, so that luck of seeds cannot be distinguished from what cells do: run a second"
            )
        if models > 1 and losses > 1 and not cells > max(models, losses):
            found.append("no model and loss are crossed, so that their interaction is part of theirs")
        return found
