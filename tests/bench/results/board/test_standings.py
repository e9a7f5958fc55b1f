"""Where rows stand: from records to ties, and which rows have no place."""

from pathlib import Path

import pytest

from bench.core.errors import BadData
from bench.results import store
from bench.results.board import rows
from bench.results.board.standings import MOST, Images, Standing, standings
from bench.results.compare import compare
from bench.results.metric_facts import facts_in
from tests.bench.records import of_format_1
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
    assert [standing.place.tie for standing in found.values()] == [1, 1, 2, None, None]
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
    placed = {model for model, standing in by_model(folder).items() if standing.place.tie}
    assert placed == {"wnet"}


DAMAGE = {
    "truncated": lambda table: table.write_text(table.read_text()[:200]),
    "truncated after a line": lambda table: table.write_text("".join(table.read_text().splitlines(True)[:20])),
    "changed": lambda table: table.write_text(table.read_text().replace("1", "2")),
    "no text": lambda table: table.write_bytes(b"\xff\xfe"),
    "empty": lambda table: table.write_text(""),
    "missing": lambda table: table.unlink(),
}


@pytest.mark.parametrize("sealed", [True, False], ids=["with its checksum", "format 1"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_table_costs_its_own_row_its_place_and_no_other(folder: Path, damage: str, sealed: bool) -> None:
    table = next(folder.glob(f"wnet*s3*{store.IMAGES}"))
    if not sealed:
        if damage == "changed":
            pytest.skip("without a checksum nothing tells")
        path = table.with_name(table.name.removesuffix(store.IMAGES) + ".json")
        path.write_text(of_format_1(store.read(path)))
    DAMAGE[damage](table)
    found = by_model(folder)
    assert [found[model].place.tie for model in ("unet", "wnet", "masknet")] == [1, None, 2]
    assert found["wnet"].unranked == "a missing or damaged per-image table"
    assert found["unet"].best == 1
    alone = standings([found["unet"].row, found["masknet"].row], "mask_dice", DICE, Images(folder))
    assert [(standing.place, standing.best) for standing in alone] == [
        (found[model].place, found[model].best) for model in ("unet", "masknet")
    ], "ranked as if it were not there"


def test_a_table_that_never_had_groups_costs_its_own_row_its_place(folder: Path) -> None:
    """As another tool may have written it: its checksum is right."""
    for seed in range(2):
        one = keep(folder, 0.5, seed, model="foreign")
        path = next(folder / name for name, record in store.read_all(folder) if record.id == one.id)
        table = store.read_images(path)
        path.unlink()
        path.with_suffix(store.IMAGES).unlink()
        store.write(folder, one, {name: values for name, values in table.items() if name != "background"})
    found = by_model(folder)
    assert found["foreign"].unranked == "a missing or damaged per-image table"
    assert [found[model].place.tie for model in ("unet", "wnet", "masknet")] == [1, 1, 2]
    with pytest.raises(BadData, match="it has no column background"):
        compare(folder, "foreign", "unet", ["mask_dice"])


def test_every_row_without_a_place_says_why(folder: Path) -> None:
    keep(folder, 0.5, 1, model="infinite")
    one = keep(folder, 0.5, 0, model="infinite")
    name = next(name for name, record in store.read_all(folder) if record.id == one.id)
    table = store.read_images(folder / name)
    (folder / name).unlink()
    (folder / name).with_suffix(store.IMAGES).unlink()
    store.write(folder, one, table | {"mask_dice": [float("-inf"), *table["mask_dice"][1:]]})
    for seed in range(2):
        unscored = keep(folder, 0.5, seed, model="depth")
        path = next(folder / name for name, record in store.read_all(folder) if record.id == unscored.id)
        path.unlink()
        store.write(folder, unscored.model_copy(update={"test": {"depth_rmse": unscored.test["depth_rmse"]}}), {})
    found = by_model(folder)
    assert {model: standing.unranked for model, standing in found.items()} == {
        "unet": "", "wnet": "", "masknet": "", "difference": "",
        "twin_unet": "a single seed", "depth": "no mask Dice",
        "infinite": "per-image values that are missing, infinite or of other images",
    }  # fmt: skip


def test_a_row_of_other_images_takes_no_place_from_others(folder: Path) -> None:
    for seed in range(3):
        keep(folder, 0.7, seed, model="other", first=1000)
    found = by_model(folder)
    assert [found[model].place.tie for model in ("unet", "wnet", "masknet", "other")] == [1, 1, 2, None]
    assert found["other"].unranked == "per-image values that are missing, infinite or of other images"


def test_rows_behind_the_best_are_not_tested_and_say_so(tmp_path: Path) -> None:
    for number in range(MOST + 1):
        for seed in range(2):
            keep(tmp_path, 0.9 - 0.01 * number, seed, model=f"m{number}", count=12)
    *_, last = by_model(tmp_path).values()
    assert last.unranked == f"not among the {MOST} best rows"


def test_pooled_machines_of_two_rows_are_not_paired(tmp_path: Path) -> None:
    for model, dice in (("wnet", 0.9), ("unet", 0.6)):
        for number, machine in enumerate("abc"):
            for seed in range(2):
                keep(tmp_path, dice + 0.002 * number, seed, model=model, arithmetic=machine * 12)
    board = rows(store.read_all(tmp_path), pool=True)
    found = standings(board, "mask_dice", DICE, Images(tmp_path))
    assert [(standing.row.model, standing.place.tie) for standing in found] == [("wnet", 1), ("unet", 2)]
    assert [len(standing.row.values("mask_dice")) for standing in found] == [3, 3]
    assert found[0].best == 1


def test_no_rows_at_all(tmp_path: Path) -> None:
    assert standings([], "mask_dice", DICE, Images(tmp_path)) == []
