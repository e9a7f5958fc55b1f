"""Figures drawn together: their spread is that of Student's t and of the images, and metrics go together."""

import numpy as np
import pytest

from bench.devtools.calibration.scenarios import layout
from bench.results.stats.ranks.figure_draws import DRAWS, figure_draws
from bench.results.stats.ranks.ranking import Contender
from bench.results.stats.scored import Scored


def entry(figures: list[float], images: float = 0.0) -> Contender:
    per_image = images * np.random.default_rng(1).standard_normal(256)
    return Contender(tuple(range(len(figures))), Scored(np.array(figures)[:, None] + per_image - per_image.mean()))


def test_the_spread_is_students(recwarn: pytest.WarningsRecorder) -> None:
    figures = [0.70, 0.74, 0.71, 0.75, 0.70, 0.72]
    drawn = figure_draws([{"a": entry(figures)}], layout(), np.random.default_rng(0))["a"][:, 0]
    error = np.std(figures, ddof=1) / np.sqrt(6)
    inside = np.abs(drawn - np.mean(figures)) <= 2.571 * error  # 5 degrees of freedom
    assert inside.mean() == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / DRAWS))


def test_metrics_that_seeds_move_alike_move_alike_in_truth() -> None:
    figures = [0.70, 0.74, 0.71, 0.75]
    other = [2 * value for value in figures]
    drawn = figure_draws([{"a": entry(figures)}, {"a": entry(other)}], layout(), np.random.default_rng(0))["a"]
    assert np.corrcoef(drawn.T)[0, 1] > 0.999


def test_images_move_all_rows_at_once() -> None:
    same = {name: entry([0.8, 0.8], images=0.2) for name in "ab"}
    drawn = figure_draws([same], layout(), np.random.default_rng(0))
    np.testing.assert_allclose(drawn["a"], drawn["b"])
    assert drawn["a"].std() == pytest.approx(np.sqrt(layout().variance(same["a"].scored.values[:1] - 0.8)[0]), rel=0.4)


def test_rows_of_one_seed_or_without_a_metric_are_left_out() -> None:
    rows = {"a": entry([0.8, 0.9]), "b": entry([0.8]), "c": entry([0.7, 0.8])}
    assert list(figure_draws([rows, {"a": rows["a"]}], layout(), np.random.default_rng(0))) == ["a"]
