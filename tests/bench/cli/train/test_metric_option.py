"""``--metric``: a user's own and torchmetrics' metrics are recorded with their facts and shown without their code."""

import csv
import json
from pathlib import Path

import pytest

from tests.bench.command import bench

KEYS = ["mine:precision", "torchmetrics/mask/BinaryMatthewsCorrCoef", "mask_nsd[tolerance=2]"]
SMALL = ["--epochs=1", "--size=32", "--batch=8", "--train-samples=16", "--val-samples=8", "--test-samples=8"]
SOURCE = '''
from bench.metrics import metrics


@metrics.register(head="mask", higher_is_better=True)
def precision(view):
    """Share of the found pixels that belong to the object."""
    predicted, _, both = view.pixels_on
    return both / predicted.clamp(min=1)


@metrics.register(head="mask", higher_is_better=True)
def broken(view):
    """Raises."""
    raise KeyError("no such thing")
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, scored by three more metrics; the user's module is gone afterwards."""
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "mine.py").write_text(SOURCE)
    options = [word for key in KEYS for word in ("--metric", key.replace("=2]", "=2.0]"))]
    models = ["--model", "unet[width=4]", "--model", "unet[width=6]"]
    done = bench(folder, "run", *models, "--loss", "mask: bce", "--no-baselines", *SMALL, *options)
    assert done.returncode == 0, done.stderr
    again = bench(folder, "run", *models, "--loss", "mask: bce", "--no-baselines", *SMALL, "--metric", "mine:precision")
    assert again.stdout.count("already run on this machine") == 2
    refused = bench(folder, "run", *models, "--loss", "mask: bce", *SMALL, "--metric", "mine:broken")
    assert (refused.returncode, "mine:broken" in refused.stderr, "KeyError" in refused.stderr) == (2, True, True)
    (folder / "mine.py").unlink()
    return folder


def test_values_and_facts_are_recorded(folder: Path) -> None:
    for path in (folder / "results").glob("unet*.json"):
        record = json.loads(path.read_text())
        assert set(KEYS) <= set(record["metrics"]) == set(record["test"])
        assert record["metrics"]["mine:precision"]["higher_is_better"]
        assert set(KEYS) <= set(record["epochs"][0]["val_metrics"])
        with path.with_suffix(".images.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert set(KEYS) | {"image/mask_area", "camera/noise"} <= set(rows[0])
        mean = sum(float(row["mine:precision"]) for row in rows) / len(rows)
        assert mean == pytest.approx(record["test"]["mine:precision"]["value"], rel=1e-4)


def test_pages_need_nobodys_code(folder: Path) -> None:
    assert bench(folder, "leaderboard", "--check").returncode == 0
    page = (folder / "leaderboard.md").read_text()
    assert all(heading in page for heading in ("precision ↑", "BinaryMatthewsCorrCoef ↑", "NSD[tolerance=2] ↑"))


def test_compare_needs_nobodys_code(folder: Path) -> None:
    options = [word for key in KEYS for word in ("--metric", key)]
    done = bench(folder, "compare", "unet[width=4]", "unet[width=6]", *options)
    assert done.returncode == 0, done.stderr
    assert all(f"{key} ↑" in done.stdout for key in KEYS)
    unknown = bench(folder, "compare", "unet[width=4]", "unet[width=6]", "--metric", "mine:recall")
    assert unknown.returncode == 2 and "mine:precision" in unknown.stderr


def test_a_metric_that_is_none_is_refused_before_anything_is_trained(folder: Path) -> None:
    for key, why in (("mask_dise", "mask_dice"), ("torchmetrics/mask/BinaryROC", "curve"), ("mine:precision", "mine")):
        done = bench(folder, "run", "--model", "unet[width=4]", "--metric", key, *SMALL)
        assert done.returncode == 2 and why in done.stderr and "epoch" not in done.stdout
