"""The first lines of a group: which row is best, whether that is certain, and what it costs."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.core.record import Load
from bench.report.markdown.leaderboard import leaderboard
from bench.results import store
from tests.bench.results_folder import keep


def lines(folder: Path, images: bool = True, **runs: Sequence[float]) -> dict[str, str]:
    """The summary's entries by their title, of models with the mask Dice of their seeds."""
    for model, values in runs.items():
        for seed, dice in enumerate(values):
            keep(folder, dice, seed, model=model, recipe="" if model == "difference" else "mask: bce, depth: 2*ssim")
    page = leaderboard(store.read_all(folder), "results", folder if images else None)
    part = page.split("## quick")[1].split("###")[0]
    assert max(map(len, part.splitlines()[4:])) <= 100
    entries = " ".join(part.split()).split(" - ")[1:]
    return {entry.split("**")[1]: entry for entry in entries}


def test_a_leader_that_is_better_than_all_others(tmp_path: Path) -> None:
    found = lines(tmp_path, a=(0.80, 0.81, 0.79), b=(0.50, 0.51, 0.49), c=(0.40, 0.41, 0.39))
    assert found["mask Dice"] == (
        "**mask Dice**: `a` with `bce_ssim` (0.8000) leads (best with a probability of >99 %); every other row of "
        "several seeds is worse, the first of them `b` with `bce_ssim` (0.5000)."
    )
    assert found["depth RMSE"].startswith("**depth RMSE**: `a` with `bce_ssim` (0.2000) leads")


def test_a_leader_that_may_be_lucky(tmp_path: Path) -> None:
    found = lines(tmp_path, a=(0.80, 0.81, 0.79), b=(0.79, 0.80, 0.81))
    assert "; `b` with `bce_ssim` (0.8000) was not shown to be worse" in found["mask Dice"]
    assert "is worse" not in found["mask Dice"]


def test_many_that_may_be_as_good(tmp_path: Path) -> None:
    found = lines(tmp_path, **dict.fromkeys("abcdef", (0.8, 0.81, 0.79)))
    assert found["mask Dice"].count("(0.8000)") == 4
    assert "and 2 more were not shown to be worse" in found["mask Dice"]


@pytest.mark.parametrize("once", [0.95, 0.5])
def test_a_single_seed_is_named_where_it_scored_better(tmp_path: Path, once: float) -> None:
    found = lines(tmp_path, often=(0.80, 0.81), once=(once,))
    better = "`once` with `bce_ssim` (0.9500) scored better but is not ranked: a single seed"
    assert (better in found["mask Dice"]) == (once > 0.8)
    assert found["mask Dice"].startswith("**mask Dice**: `often`")


def test_single_seeds_alone_are_not_ranked(tmp_path: Path) -> None:
    found = lines(tmp_path, a=(0.7,), b=(0.8,))
    assert found["mask Dice"].startswith("**mask Dice**: `b` with `bce_ssim` (0.8000) is the highest of single seeds")


def test_without_the_images_luck_is_not_ruled_out(tmp_path: Path) -> None:
    found = lines(tmp_path, images=False, a=(0.80, 0.81), b=(0.50, 0.51))
    assert "it is not known whether that is luck" in found["mask Dice"]
    assert "probability" not in found["mask Dice"]


@pytest.mark.parametrize("damaged", ["a", "b"])
def test_nothing_is_said_of_a_row_that_was_not_tested(tmp_path: Path, damaged: str) -> None:
    """The best row and the second best: neither leads nor is worse while its table is damaged."""
    values = {"a": (0.80, 0.81, 0.79), "b": (0.70, 0.71, 0.69), "c": (0.50, 0.51, 0.49), "d": (0.30, 0.31, 0.29)}
    lines(tmp_path, **values)
    next(tmp_path.glob(f"{damaged}_*{store.IMAGES}")).write_text("sample\n1\n")
    first, *rest = [name for name in values if name != damaged]
    found = lines(tmp_path)["mask Dice"]
    assert found.startswith(f"**mask Dice**: `{first}` with")
    assert f"every other ranked row of several seeds is worse, the first of them `{rest[0]}` with" in found
    assert (f"`{damaged}`" in found) == (damaged == "a")
    assert ("`a` with `bce_ssim` (0.8000) scored better but is not ranked" in found) == (damaged == "a")


def test_a_lone_ranked_row_is_not_called_better_than_others(tmp_path: Path) -> None:
    lines(tmp_path, a=(0.80, 0.81), b=(0.50, 0.51))
    next(tmp_path.glob(f"b_*{store.IMAGES}")).unlink()
    found = lines(tmp_path)["mask Dice"]
    assert "is worse" not in found
    assert "no other row of several seeds is ranked (a missing or damaged per-image table)" in found


def test_baselines_alone(tmp_path: Path) -> None:
    assert lines(tmp_path, difference=(0.9,))["mask Dice"] == "**mask Dice**: no network has a score yet."


def test_what_the_leaders_cost(tmp_path: Path) -> None:
    found = lines(tmp_path, a=(0.80, 0.81, 0.79), b=(0.50, 0.51, 0.49))
    assert found["Cost"] == (
        "**Cost** on A processor, 2 threads, torch 2.15.0: `a` with `bce_ssim` trains 100 images/s, peak 900 MiB."
    )
    assert "`b`" not in found["Cost"]


def test_a_leader_that_ran_beside_others_has_no_cost_and_that_is_said(tmp_path: Path) -> None:
    beside = Load(windows=2, disturbed=0, shared=2)
    for seed in range(2):
        keep(tmp_path, 0.9, seed, model="shared", load=beside)
        keep(tmp_path, 0.5, seed, model="alone")
    found = lines(tmp_path)
    assert found["Cost"] == "**Cost** not known of `shared` with `bce_ssim`: their runs shared a device with others."
    keep(tmp_path, 0.9, 2, model="shared")
    assert "not known" not in lines(tmp_path)["Cost"]


def test_few_backgrounds_or_objects_are_said(tmp_path: Path) -> None:
    found = lines(tmp_path, a=(0.80, 0.81), b=(0.79, 0.80))
    few = "Only 5 objects: with fewer than 10 an interval is wide and less reliable."
    assert found["Test images"] == f"**Test images**: {few}"
    assert "Test images" not in lines(tmp_path, images=False)
