"""The board in the terminal: at every width what fits, and below it how to read it."""

from pathlib import Path

import pytest

from bench.core.record import Load
from bench.metrics import metrics
from bench.report.legend import TIES
from bench.report.terminal.results.board_table import board_tables
from bench.results import store
from bench.results.board import groups_of
from bench.results.board.overview import overview
from bench.results.board.standings import Images
from tests.bench.records import record
from tests.bench.report.terminal.drawn import drawn
from tests.bench.results_folder import keep

FACTS = {name: metrics.facts(name) for name in ("mask_dice", "mask_iou", "depth_rmse", "depth_delta1")}
MODELS = ("unet", "smp/deeplabv3plus/mobilenet_v2", "dilated_shuffle[fixed=true]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place, model in enumerate(MODELS):
        for seed in range(3):
            keep(tmp_path, 0.81 - 0.1 * place + 0.01 * seed, seed, model=model)
    keep(tmp_path, 0.2, 0, model="difference", recipe="")
    return tmp_path


def shown(folder: Path, width: int = 200, terminal: bool = True) -> str:
    lines = [*overview(groups_of(store.read_all(folder)), Images(folder))]
    return drawn(board_tables(lines, [*FACTS], FACTS), width, terminal)


def rows(text: str, model: str) -> list[str]:
    return [line for line in text.splitlines() if f" {model} " in f"{line} " and "0." in line]


@pytest.mark.parametrize("width", [200, 160, 140, 120, 110, 100, 90, 80, 70, 60])
def test_no_row_is_wider_than_the_terminal(folder: Path, width: int) -> None:
    text = shown(folder, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width, text
    assert "0.8200" in rows(text, "unet")[0] and rows(text, "unet")[0].startswith("1 ")
    assert ("Left out at this width" in text) == ("± 0.0100" not in text or "3,351,170" not in text)


def test_a_terminal_of_100_columns_has_every_metric_and_a_line_a_row(folder: Path) -> None:
    text = shown(folder, 100)
    (line,) = rows(text, "smp/deeplabv3plus/mobilenet_v2")
    assert "bce_ssim float32" in line
    assert text.count("0.2000") == 1 and "depth" in text.splitlines()[1]


def test_a_pipe_has_all_columns_on_single_lines(folder: Path) -> None:
    text = shown(folder, terminal=False)
    assert "Left out" not in text
    assert "mask Dice ↑" in text and "3,351,170" in text and "0.8200 ± 0.0100" in text


def test_below_it_stands_how_to_read_it(folder: Path) -> None:
    keep(folder, 0.9, 0, model="once")
    text = shown(folder, terminal=False)
    assert TIES in text
    assert "tie and best are by mask Dice" in text
    assert "· is not ranked: a single seed." in text
    assert f"images/s: training on {record().environment.label}; – is not timed" in text


def test_what_a_legend_explains_occurs(tmp_path: Path) -> None:
    keep(tmp_path, 0.2, 0, model="difference", recipe="")
    text = shown(tmp_path, terminal=False)
    assert "tie and best" not in text and "·" not in text.split("\n", 1)[1] and "images/s:" not in text


def test_a_rate_of_a_busy_machine_is_in_brackets(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, load=Load(windows=2, disturbed=2, marked=True))
    text = shown(tmp_path, terminal=False)
    assert "(100)" in text and "in brackets: others kept it busy" in text


def test_rows_elsewhere_are_marked_and_baselines_stand_once(folder: Path) -> None:
    keep(folder, 0.77, 0, model="unet", arithmetic="b" * 12)
    keep(folder, 0.2, 0, model="difference", recipe="", arithmetic="b" * 12)
    text = shown(folder, terminal=False)
    assert len(rows(text, "difference")) == 1
    first, other = rows(text, "unet")
    assert other.startswith("·    ↳ unet") and not first.startswith("·")
    assert f"arithmetic {'b' * 12}" in text and "is not ranked:" not in text
