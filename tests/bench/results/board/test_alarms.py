"""Alarms of a board: contradictions, and tables that cannot be relied on, once each."""

from pathlib import Path

import pytest

from bench.results import store
from bench.results.board import groups_of
from bench.results.board.alarms import alarms, few_groups
from bench.results.board.standings import Images
from tests.bench.results_folder import keep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(2):
        keep(tmp_path, 0.8, seed, model="wnet")
    return tmp_path


def found(folder: Path) -> list[str]:
    (group,) = groups_of(store.read_all(folder))
    return alarms(group, Images(folder))


def test_a_sound_board_has_none(folder: Path) -> None:
    assert found(folder) == []


def test_two_results_of_a_seed(folder: Path) -> None:
    keep(folder, 0.6, 1, model="wnet")
    (alarm,) = found(folder)
    assert alarm.startswith("seed 1 of `wnet` has two results")


@pytest.mark.parametrize("missing", [True, False])
def test_a_table_that_cannot_be_relied_on(folder: Path, missing: bool) -> None:
    table = next(folder.glob(f"*{store.IMAGES}"))
    if missing:
        table.unlink()
    else:
        table.write_text("sample,mask_dice\n0,1\n")
    (alarm,) = found(folder)
    reason = "it is missing" if missing else "its checksum differs from that in the record"
    assert alarm == f"{table.name}: {reason}; its row is not ranked (restore it, or move it away with its record)"


def test_a_record_that_never_had_a_table_misses_none(folder: Path) -> None:
    one = keep(folder, 0.7, 0, model="unet")
    next(folder.glob(f"unet*{store.IMAGES}")).unlink()
    next(folder.glob("unet*.json")).unlink()
    store.write(folder, one, {})
    assert found(folder) == []


def test_few_groups_are_those_of_the_first_table_that_can_be_read(folder: Path) -> None:
    (group,) = groups_of(store.read_all(folder))
    few = ["Only 5 objects: with fewer than 10 an interval is wide and less reliable."]
    assert few_groups(group, Images(folder)) == few
    for number, table in enumerate(sorted(folder.glob(f"*{store.IMAGES}"))):
        assert few_groups(group, Images(folder)) == few
        table.write_text(f"damaged {number}")
    assert few_groups(group, Images(folder)) == []
    assert few_groups(group, Images(None)) == []
