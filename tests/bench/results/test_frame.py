"""Records and images as tables."""

from pathlib import Path

import pytest

from bench.results import store
from bench.results.frame import frame, images
from tests.bench.records import record


def test_a_row_a_record(tmp_path: Path) -> None:
    for seed, dice in enumerate((0.7, 0.9)):
        store.write(tmp_path, record(seed=seed, dice=dice), {"sample": [0, 1, 2], "mask_dice": [dice, dice, dice]})
    store.write(tmp_path, record("wnet", outcome="diverged"), {})
    table = frame(tmp_path)
    assert len(table) == 3
    assert table.groupby("model")["mask_dice"].mean()["unet"] == pytest.approx(0.8)
    assert set(table["outcome"]) == {"finished", "diverged"}
    assert len(images(tmp_path)) == 6
    assert images(tmp_path).groupby("record")["mask_dice"].mean().tolist() == pytest.approx([0.7, 0.9])


def test_nothing_gives_an_empty_table(tmp_path: Path) -> None:
    assert frame(tmp_path).empty
    assert images(tmp_path).empty
