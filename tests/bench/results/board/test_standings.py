"""Where rows stand: from records to tiers, and which rows have no place."""

from pathlib import Path

import pytest

from bench.results import store
from bench.results.board import rows
from bench.results.board.standings import Images, Standing, standings
from bench.results.metric_facts import facts_in
from tests.bench.results_folder import keep

DICE = facts_in([])["mask_dice"]


def by_model(folder: Path) -> dict[str, Standing]:
    board = rows(store.read_all(folder))
    return {found.row.model: found for found in standings(board, "mask_dice", DICE, Images(folder))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(5):
        keep(tmp_path, 0.90 + 0.004 * (seed % 2), seed, model="wnet")
        keep(tmp_path, 0.90 + 0.003 * (seed % 3), seed, model="unet")
        keep(tmp_path, 0.60 + 0.003 * (seed % 2), seed, model="masknet")
    keep(tmp_path, 0.99, 0, model="twin_unet")
    keep(tmp_path, 0.30, 0, model="difference", recipe="")
    return tmp_path


def test_tiers_and_chances(folder: Path) -> None:
    found = by_model(folder)
    assert list(found) == ["unet", "wnet", "masknet", "twin_unet", "difference"]
    assert [standing.place.tier for standing in found.values()] == [1, 1, 2, None, None]
    assert found["masknet"].best == 0
    assert (found["wnet"].best or 0) + (found["unet"].best or 0) == pytest.approx(1)
    assert found["twin_unet"].best is None


def test_rows_without_images_or_with_infinite_ones_have_no_place(folder: Path) -> None:
    next(folder.glob("masknet*s3*.images.csv")).unlink()
    name, record = next((n, r) for n, r in store.read_all(folder) if (r.spec.model, r.spec.seed) == ("unet", 0))
    table = store.read_images(folder / name)
    (folder / name).unlink()
    (folder / name).with_suffix(store.IMAGES).unlink()
    store.write(folder, record, table | {"mask_dice": [float("-inf"), *table["mask_dice"][1:]]})
    placed = {model for model, standing in by_model(folder).items() if standing.place.tier}
    assert placed == {"wnet"}


def test_pooled_machines_of_two_rows_are_not_paired(tmp_path: Path) -> None:
    for model, dice in (("wnet", 0.9), ("unet", 0.6)):
        for number, machine in enumerate("abc"):
            for seed in range(2):
                keep(tmp_path, dice + 0.002 * number, seed, model=model, arithmetic=machine * 12)
    board = rows(store.read_all(tmp_path), pool=True)
    found = standings(board, "mask_dice", DICE, Images(tmp_path))
    assert [(standing.row.model, standing.place.tier) for standing in found] == [("wnet", 1), ("unet", 2)]
    assert [len(standing.row.values("mask_dice")) for standing in found] == [3, 3]
    assert found[0].best == 1


def test_no_rows_at_all(tmp_path: Path) -> None:
    assert standings([], "mask_dice", DICE, Images(tmp_path)) == []
