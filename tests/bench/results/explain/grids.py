"""Made-up grids, balanced and not."""

from __future__ import annotations

import numpy as np

from bench.results.explain.grid import Grid


def made(
    deviations: tuple[float, float, float, float],
    shape: tuple[int, int, int] = (5, 4, 3),
    random: np.random.Generator | None = None,
    missing: float = 0.0,
) -> Grid:
    """Models, losses and seeds of normal effects with these standard deviations; some cells may be missing."""
    random = random or np.random.default_rng(0)
    models, losses, seeds = shape
    a, b, c, s = deviations
    figures = (
        0.8
        + a * random.standard_normal((models, 1, 1))
        + b * random.standard_normal((1, losses, 1))
        + c * random.standard_normal((models, losses, 1))
        + s * random.standard_normal(shape)
    )
    kept = random.random((models, losses)) >= missing
    kept[0], kept[:, 0] = True, True
    count = random.integers(1, seeds + 1, (models, losses)) if missing else np.full((models, losses), seeds)
    return Grid(
        [
            (f"m{i}", f"l{j}", figures[i, j, : count[i, j]].tolist())
            for i in range(models)
            for j in range(losses)
            if kept[i, j]
        ]
    )
