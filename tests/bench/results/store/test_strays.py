"""What kills leave in a folder of records: removed once it is old, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bench.core.files import STRAY_AGE
from bench.results import store
from tests.bench.results_folder import keep


def left(folder: Path, name: str, age: float) -> Path:
    """A file that was last written to so many seconds ago."""
    path = folder / name
    path.write_text("sample,mask_dice\n1,0.5\n")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keep(tmp_path, 0.8)
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    return tmp_path


@pytest.mark.parametrize("name", ["unet_0123456789ab_20260101000000.images.csv", ".unet.json.x7.tmp", ".x.tmp"])
def test_what_a_kill_left_goes_when_it_is_old(folder: Path, name: str) -> None:
    whole = sorted(folder.iterdir())
    old = left(folder, name, STRAY_AGE + 60)
    young = left(folder, f"{name[:3]}young{name[3:]}", STRAY_AGE - 60)
    store.remove_strays(folder)
    assert sorted(folder.iterdir()) == sorted([*whole, young]) and not old.exists()


@pytest.mark.parametrize("name", ["mine.csv", "notes.tmp", "schema.json", ".hidden", "x.images.csv.bak"])
def test_what_is_somebodys_own_stays(folder: Path, name: str) -> None:
    kept = left(folder, name, 10 * STRAY_AGE)
    store.remove_strays(folder)
    assert kept.exists()


def test_a_table_stays_beside_its_record_however_old(folder: Path) -> None:
    (table,) = folder.glob("*.images.csv")
    store.remove_strays(folder)
    assert table.exists() and store.read_images(next(folder.glob("unet*.json")))


def test_a_folder_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    store.remove_strays(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
