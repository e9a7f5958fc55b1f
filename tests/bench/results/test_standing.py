"""Where rows stand: from records to tiers, and which rows have no place."""

from pathlib import Path

import pytest

from bench.results import store
from bench.results.board import Row, rows
from bench.results.metric_facts import facts_in
from bench.results.standing import Standing, standings
from tests.bench.results_folder import keep

DICE = {"mask_dice": facts_in([])["mask_dice"]}


def by_model(folder: Path) -> dict[str, Standing]:
    board: list[Row] = rows(store.read_all(folder))
    found = zip(board, standings(folder, board, DICE)["mask_dice"], strict=True)
    return {row.model: standing for row, standing in found if standing}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(5):
        keep(tmp_path, 0.90 + 0.004 * (seed % 2), seed, model="wnet")
        keep(tmp_path, 0.90 + 0.003 * (seed % 3), seed, model="unet")
        keep(tmp_path, 0.60 + 0.003 * (seed % 2), seed, model="masknet")
    keep(tmp_path, 0.99, 0, model="twin_unet")
    keep(tmp_path, 0.30, 0, model="difference", recipe="")
    return tmp_path


def test_tiers_chances_and_interquartile_means(folder: Path) -> None:
    found = by_model(folder)
    assert {model: standing.tier for model, standing in found.items()} == {
        "wnet": 1,
        "unet": 1,
        "masknet": 2,
        "twin_unet": None,
    }
    assert found["masknet"].best == 0
    assert (found["wnet"].best or 0) + (found["unet"].best or 0) == pytest.approx(1)
    mean = found["masknet"].interquartile
    assert mean is not None
    assert mean.low < mean.mean < mean.high
    assert found["twin_unet"] == Standing(None, None, None, None)


def test_rows_without_images_or_with_infinite_ones_have_no_place(folder: Path) -> None:
    next(folder.glob("masknet*s3*.images.csv")).unlink()
    table = next(folder.glob("unet*s0*.images.csv"))
    lines = table.read_text().splitlines()
    column = lines[0].split(",").index("mask_dice")
    cells = lines[1].split(",")
    cells[column] = "-inf"
    table.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    assert set(by_model(folder)) == {"wnet", "twin_unet"}


def test_no_rows_at_all(tmp_path: Path) -> None:
    assert standings(tmp_path, [], DICE) == {"mask_dice": []}
