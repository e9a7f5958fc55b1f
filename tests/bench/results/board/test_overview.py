"""The board as plain data: one line a row, filtered and sorted."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.core.errors import BenchError
from bench.results import load, load_images, store
from bench.results.board import groups_of
from bench.results.board.overview import Line, ordered, overview, where
from bench.results.board.standings import Images
from tests.bench.results_folder import IMAGES, keep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(2):
        keep(tmp_path, 0.7, seed, model="unet[width=8]")
        keep(tmp_path, 0.9 + 0.01 * seed, seed, model="wnet")
    keep(tmp_path, 0.2, 0, model="difference", recipe="")
    return tmp_path


@pytest.fixture
def lines(folder: Path) -> Sequence[Line]:
    return list(overview(groups_of(store.read_all(folder)), Images(folder)))


def test_a_line_a_row_in_the_order_of_the_board(lines: Sequence[Line]) -> None:
    assert [line["model"] for line in lines] == ["wnet", "unet[width=8]", "difference"]
    first = lines[0]
    assert first["mask_dice"] == pytest.approx(0.905)
    assert first["mask_dice/sd"] == pytest.approx(0.00707, abs=1e-4)
    assert first["mask_dice/skill"] == pytest.approx((0.905 - 0.2) / 0.8)
    assert (first["seeds"], first["tie"]) == (2, 1)
    assert lines[2]["mask_dice/skill"] is None


@pytest.mark.parametrize(
    ("conditions", "models"),
    [
        (["model=w*"], ["wnet"]),
        (["model=unet[width=8]"], ["unet[width=8]"]),
        (["seeds>1", "mask_dice<0.8"], ["unet[width=8]"]),
        (["mask_dice>0.99"], []),
        (["mask_dice>=0.7", "mask_dice<=0.7"], ["unet[width=8]"]),
        (["model!=*net*"], ["difference"]),
        (["model != unet[width=8]", "seeds >= 2"], ["wnet"]),
        (["tie!=1", "unranked=None"], ["unet[width=8]", "difference"]),
    ],
)
def test_conditions(lines: Sequence[Line], conditions: list[str], models: list[str]) -> None:
    assert [line["model"] for line in where(lines, conditions)] == models


@pytest.mark.parametrize("condition", ["model", "no_such=1", "seeds>many", "seeds>=many", "no_such!=1"])
def test_a_condition_that_means_nothing(lines: Sequence[Line], condition: str) -> None:
    with pytest.raises(BenchError, match=re.split("[!=>]", condition)[0]):
        where(lines, [condition])


def test_lines_say_why_they_have_no_tie(folder: Path) -> None:
    keep(folder, 0.8, 0, model="masknet")
    keep(folder, 0.8, 0, model="wnet", arithmetic="b" * 12)
    lines = overview(groups_of(store.read_all(folder)), Images(folder))
    found = {(line["model"], line["elsewhere"] is not None): line["unranked"] for line in lines}
    assert found == {
        ("wnet", False): None, ("wnet", True): "on another kind of arithmetic", ("unet[width=8]", False): None,
        ("masknet", False): "a single seed", ("difference", False): None,
    }  # fmt: skip


def test_order_by_a_column(lines: Sequence[Line]) -> None:
    assert ordered(lines, "mask_dice", higher_first=False)[0]["mask_dice"] == pytest.approx(0.2)
    assert ordered(lines, "mask_dice/skill", higher_first=True)[-1]["model"] == "difference"


def test_tables_for_pandas(folder: Path) -> None:
    assert len(load(folder)) == 5
    assert len(load_images(folder)) == 5 * IMAGES
    assert load(folder).groupby("model").mask_dice.mean()["wnet"] == pytest.approx(0.905)
