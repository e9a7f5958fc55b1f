"""The quick formulas against the plain ones, in which every run is a row of one large normal vector."""

import numpy as np
import pytest

from bench.results.explain.grid import Grid
from bench.results.explain.likelihood import covariance, effects, restricted_log_likelihood
from tests.bench.results.explain.grids import made

GRIDS = {"balanced": made((0.03, 0.02, 0.01, 0.02)), "uneven": made((0.03, 0.02, 0.01, 0.02), missing=0.4)}
POINTS = np.array([[0.03, 0.02, 0.01, 0.02], [0.05, 0.0, 0.0, 0.01], [0.0, 0.1, 0.02, 0.005], [0.2, 0.1, 0.3, 0.4]])


def plain(grid: Grid, deviations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The figures of all runs, which cell each is of, and their covariance."""
    figures = np.concatenate([np.asarray(values) for _, _, values in grid.cells])
    cell = np.repeat(np.arange(len(grid.cells)), [len(values) for _, _, values in grid.cells])
    models = np.array([grid.models.index(model) for model, _, _ in grid.cells])[cell]
    losses = np.array([grid.losses.index(loss) for _, loss, _ in grid.cells])[cell]
    variance = sum(
        size**2 * (kind[:, None] == kind)
        for size, kind in zip(deviations, (models, losses, cell, np.arange(len(cell))), strict=True)
    )
    return figures, cell, variance


@pytest.mark.parametrize("grid", GRIDS.values(), ids=list(GRIDS))
def test_the_likelihood_is_the_textbooks(grid: Grid) -> None:
    expected = []
    for point in POINTS:
        figures, _, variance = plain(grid, point)
        inverse, ones = np.linalg.inv(variance), np.ones(len(figures))
        left = figures - ones @ inverse @ figures / (ones @ inverse @ ones)
        expected.append(-0.5 * (np.linalg.slogdet(variance)[1] + np.log(ones @ inverse @ ones) + left @ inverse @ left))
    found = restricted_log_likelihood(grid, POINTS)
    np.testing.assert_allclose(found - found[0], np.array(expected) - expected[0], rtol=1e-6, atol=1e-6)


def test_effects_are_the_best_linear_predictions() -> None:
    grid, point = GRIDS["uneven"], POINTS[0]
    figures, cell, variance = plain(grid, point)
    inverse, ones = np.linalg.inv(variance), np.ones(len(figures))
    left = figures - ones @ inverse @ figures / (ones @ inverse @ ones)
    loading = np.repeat(point[:2] ** 2, [len(grid.models), len(grid.losses)])
    expected = loading * (grid.incidence[cell].T @ inverse @ left)
    expected[:5] -= expected[:5].mean()
    expected[5:] -= expected[5:].mean()
    drawn = effects(grid, np.tile(point, (20_000, 1)), np.random.default_rng(0))
    np.testing.assert_allclose(drawn.mean(0), expected, atol=5 * 0.03 / np.sqrt(20_000))


def test_a_run_makes_its_cell_known_and_others_a_little() -> None:
    point = POINTS[0]
    few, more = (
        covariance(Grid([*GRIDS["uneven"].cells[:-1], (model, loss, [0.8] * count)]), point)
        for model, loss, _ in GRIDS["uneven"].cells[-1:]
        for count in (1, 4)
    )
    assert (np.diagonal(more) <= np.diagonal(few) + 1e-12).all()
    assert np.linalg.eigvalsh(more).min() > -1e-9
