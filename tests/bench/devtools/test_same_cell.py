"""Cells against themselves: the rate of false verdicts on made-up runs, and what its interval is made of."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from bench.devtools.same_cell import Rate, page, pooled, rate_of, rates
from tests.bench.results_folder import keep


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seeds of two cells, whose figures scatter by .02, and a cell with too few."""
    folder, random = tmp_path_factory.mktemp("same"), np.random.default_rng(0)
    for seed in range(10):
        for model in ("unet", "wnet"):
            keep(folder, 0.8 + 0.02 * random.normal(), seed, model=model)
    keep(folder, 0.5, 0, model="masknet")
    return folder


def test_cells_with_seeds_enough(folder: Path) -> None:
    found = rates(folder, 2, ["mask_dice"], deals=20)
    assert list(found) == ["unet:bce_ssim", "wnet:bce_ssim"]
    assert all(rate.comparisons == 40 for rate in found.values())
    assert all(rate.share <= 0.15 for rate in found.values())
    assert rates(folder, 6) == {}


def test_metrics_that_a_cell_lacks_do_not_count(folder: Path) -> None:
    assert rates(folder, 4, deals=2)["unet:bce_ssim"].comparisons == 2 * 2  # mask_dice and depth_rmse


def test_the_page(folder: Path) -> None:
    text = page(folder, ["mask_dice"], 5)
    assert text.count("| all |") == 3
    assert "2 against 2" in text
    shell = [sys.executable, "-m", "bench.devtools.same_cell", str(folder), "--metric", "mask_dice", "--deals", "5"]
    done = subprocess.run(shell, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout == text


def test_the_error_is_the_jackknifes_over_runs() -> None:
    """Each comparison of one run alone: the rate is a plain mean, whose jackknife error is its standard error."""
    false = np.array([[True], [False], [False], [True], [False]])
    rate = rate_of(false, np.eye(5, dtype=bool))
    assert rate.share == 0.4
    assert rate.error == pytest.approx(false.std(ddof=1) / np.sqrt(5))


def test_where_nothing_is_false_the_interval_is_not_empty() -> None:
    low, high = Rate(100, 0.0, 0.0, 16, 15).interval
    assert low == 0
    assert 0.3 < high < 0.4  # eight comparisons that share no run


def test_runs_that_all_comparisons_need_leave_no_error() -> None:
    rate = rate_of(np.array([[True], [False]]), np.ones((2, 4), dtype=bool))
    assert rate.interval == (0, 1)


def test_cells_together() -> None:
    both = pooled([Rate(10, 0.1, 0.04, 8, 7), Rate(30, 0.0, 0.03, 8, 7)])
    assert (both.comparisons, both.share, both.error, both.runs) == (40, 0.05, pytest.approx(0.025), 16)
    assert both.freedom == pytest.approx(0.05**4 / (0.04**4 / 7 + 0.03**4 / 7))  # Satterthwaite
    alike = pooled([Rate(10, 0.1, 0.04, 8, 7), Rate(10, 0.1, 0.04, 8, 7)])
    assert alike.freedom == pytest.approx(14)


def test_an_interval_is_symmetric_in_the_logit_and_stays_within_0_and_1() -> None:
    """Against the delta method on scipy's quantiles: logit(p) has the standard error e / (p (1 - p))."""
    low, high = Rate(2800, 0.03, 0.02, 16, 15).interval
    ends = special.logit([low, 0.03, high])
    assert ends[1] - ends[0] == pytest.approx(ends[2] - ends[1])
    assert ends[2] - ends[1] == pytest.approx(stats.t.ppf(0.975, 15) * 0.02 / (0.03 * 0.97))
    assert 0 < low < 0.01 and 0.1 < high < 0.2
    assert Rate(10, 1.0, 0.0, 16, 15).interval == (pytest.approx(0.025 ** (1 / 8)), 1.0)


def test_the_interval_covers_the_true_rate() -> None:
    """Twelve runs whose figures scatter normally, t tests of two against two, each false at 5 % by construction."""
    random, size, runs = np.random.default_rng(3), 2, 12
    deals = np.array([random.permutation(runs).reshape(-1, 2, size) for _ in range(100)]).reshape(-1, 2, size)
    takes_part = np.array([np.isin(np.arange(runs), deal) for deal in deals])
    covered, wide = 0, 0.0
    for _ in range(60):
        a, b = np.moveaxis(random.standard_normal((runs, 3))[deals], 1, 0)
        false = stats.ttest_ind(a, b, axis=1).pvalue < 0.05
        low, high = rate_of(false, takes_part).interval
        covered += low <= 0.05 <= high
        wide += (high - low) / 60
    assert covered >= 56
    assert wide < 0.2
