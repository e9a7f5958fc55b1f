"""Variances are those of the analysis of variance where that has an answer, and intervals hold what they promise."""

import numpy as np
import pytest

from bench.results.explain import estimate
from bench.results.explain.estimate import most_likely, plausible
from bench.results.explain.explained import Explained
from bench.results.explain.grid import Grid
from tests.bench.results.explain.grids import made


def mean_squares(grid: Grid, shape: tuple[int, int, int]) -> np.ndarray:
    """Standard deviations by the mean squares of a balanced two-way layout with replicates, (4,)."""
    models, losses, seeds = shape
    figures = np.array([values for _, _, values in grid.cells]).reshape(shape)
    cells = figures.mean(2)
    a, b = cells.mean(1), cells.mean(0)
    of_models = losses * seeds * a.var(ddof=1)
    of_losses = models * seeds * b.var(ddof=1)
    both = seeds * ((cells - a[:, None] - b + cells.mean()) ** 2).sum() / (models - 1) / (losses - 1)
    within = figures.var(axis=2, ddof=1).mean()
    parts = [(of_models - both) / losses / seeds, (of_losses - both) / models / seeds, (both - within) / seeds, within]
    return np.sqrt(parts)


@pytest.mark.parametrize("seed", range(4))
def test_a_balanced_grid_gives_the_mean_squares(seed: int) -> None:
    shape = (6, 5, 3)
    grid = made((0.05, 0.04, 0.03, 0.02), shape, np.random.default_rng(seed))
    np.testing.assert_allclose(most_likely(grid), mean_squares(grid, shape), rtol=0.01)


def test_one_factor_alone_is_the_one_way_layout() -> None:
    grid = made((0.05, 0.0, 0.0, 0.02), (8, 1, 4))
    figures = np.array([values for _, _, values in grid.cells])
    within = figures.var(axis=1, ddof=1).mean()
    between = figures.mean(1).var(ddof=1) - within / 4
    np.testing.assert_allclose(most_likely(grid), [np.sqrt(between), 0, 0, np.sqrt(within)], rtol=0.01)
    assert [part.kind for part in Explained.of(grid, None).parts] == ["architecture", "seed"]
    assert any("a single loss" in note for note in grid.notes)


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_intervals_of_shares_hold_the_truth(missing: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a quarter of the steps, which leave far more draws than the ends of an interval need."""
    monkeypatch.setattr(estimate, "STEPS", estimate.SETTLING + 150)
    deviations, images = (0.03, 0.02, 0.012, 0.015), 0.01
    whole = sum(size**2 for size in deviations) + images**2
    truth = np.array([*(size**2 / whole for size in deviations), images**2 / whole])
    random, held = np.random.default_rng(5), []
    for _ in range(20):
        variance = images**2 * random.chisquare(59) / 59
        parts = Explained.of(made(deviations, random=random, missing=missing), (variance, 59.0)).parts
        held += [part.low <= share <= part.high for part, share in zip(parts, truth, strict=True)]
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 20)
    assert np.mean(held) >= 0.9


def uneven(seeds: int) -> Grid:
    """As records are: one model has met all losses, the others one; models differ by far more than all else."""
    random = np.random.default_rng(2)
    models, losses = 0.3 * random.standard_normal(12), 0.01 * random.standard_normal(7)
    met = [(model, loss) for model in range(12) for loss in range(7) if model == 0 or loss == 0]
    return Grid(
        [
            (f"m{model}", f"l{loss}", list(models[model] + losses[loss] + 0.02 * random.standard_normal(seeds)))
            for model, loss in met
        ]
    )


def share_ends(grid: Grid, drawn: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The ends of the 95 % intervals of shares, (2, parts), of draws of standard deviations."""
    variances = (drawn**2)[:, grid.separable]
    shares = variances / variances.sum(1, keepdims=True)
    if weights is None:
        return np.quantile(shares, [0.025, 0.975], axis=0)
    order = np.argsort(shares, axis=0)
    cumulated = np.cumsum(weights[order], axis=0)
    ends = [np.argmax(cumulated >= level * weights.sum(), axis=0) for level in (0.025, 0.975)]
    columns = np.arange(shares.shape[1])
    return np.array([shares[order[end, columns], columns] for end in ends])


@pytest.mark.parametrize("seeds", [1, 3])
def test_other_random_numbers_give_the_same_intervals(seeds: int) -> None:
    """Walkers that start where nothing is probable never leave: an end was at .02 or at .98, by chance."""
    grid = uneven(seeds)
    ends = np.array([share_ends(grid, plausible(grid, np.random.default_rng(seed))) for seed in range(3)])
    assert np.ptp(ends, axis=0).max() < 0.05
    assert ends[:, 0, 0].min() > 0.9


@pytest.mark.parametrize("grid", [uneven(1), made((0.03, 0.02, 0.012, 0.015), (4, 3, 1))], ids=["uneven", "full"])
def test_intervals_are_those_of_adding_up_all_possibilities(grid: Grid) -> None:
    """The same density, summed over a lattice of all deviations in place of sampling."""
    active = np.flatnonzero(grid.separable)
    axis = np.geomspace(1e-3, 30, 40)
    lattice = np.stack(np.meshgrid(*[axis] * len(active), indexing="ij"), axis=-1).reshape(-1, len(active))
    log_weights = np.concatenate([estimate._weight(grid, part, active) for part in np.array_split(lattice, 200)])
    weights = np.exp(log_weights - log_weights.max())
    deviations = np.zeros((len(lattice), 4))
    deviations[:, active] = lattice
    summed = share_ends(grid, deviations, weights)
    sampled = share_ends(grid, plausible(grid, np.random.default_rng(0)))
    np.testing.assert_allclose(sampled, summed, atol=0.06)


def test_main_effects_find_the_model_and_the_loss_that_are_better() -> None:
    grid = made((0.0, 0.0, 0.005, 0.01))
    lifted = Grid(
        [
            (model, loss, [value + 0.1 * (model == "m3") - 0.06 * (loss == "l1") for value in values])
            for model, loss, values in grid.cells
        ]
    )
    found = Explained.of(lifted, None)
    assert found.models[0].name == "m3"
    assert found.models[0].low < 0.08 < found.models[0].high
    assert (found.losses[-1].name, found.losses[-1].runs) == ("l1", 15)
    assert found.losses[-1].high < 0


@pytest.mark.parametrize(
    ("cells", "kinds", "note"),
    [
        ([("a", "x", [0.1, 0.2])], ["seed"], "a single model"),
        ([("a", "x", [0.1]), ("b", "x", [0.3])], ["architecture", "seed"], "no cell has two seeds"),
        ([("a", "x", [0.1, 0.12]), ("b", "y", [0.3, 0.32])], ["architecture", "seed"], "loss of its own"),
        (
            [("a", "x", [0.1, 0.12]), ("a", "y", [0.3]), ("b", "x", [0.3])],
            ["architecture", "loss", "interaction", "seed"],
            "",
        ),
    ],
)
def test_what_cannot_be_told_apart_is_said(cells: list, kinds: list[str], note: str) -> None:
    found = Explained.of(Grid(cells), None)
    assert [part.kind for part in found.parts] == kinds
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    assert bool(found.notes) == bool(note)
    assert note in "; ".join(found.notes)


def test_runs_that_all_agree() -> None:
    assert np.isfinite(
        [part.share for part in Explained.of(Grid([("a", "x", [0.5, 0.5]), ("b", "x", [0.5])]), None).parts]
    ).all()
