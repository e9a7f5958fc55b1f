"""From records to an explanation, and to what to run next."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.core.errors import BenchError
from bench.report.terminal.results.explanation_table import explanation_tables
from bench.results.explain.explained import Explained
from bench.results.explain.explanation import explain
from bench.results.explain.grid import Grid
from bench.results.explain.next_cell import next_cells
from registry.errors import UnknownName
from tests.bench.results.explain.grids import made
from tests.bench.results_folder import keep

RESULTS = Path(__file__).parents[4] / "results"


def test_the_committed_records() -> None:
    (found,) = explain(RESULTS, ["mask_dice"])
    dice = found.metrics["mask_dice"]
    assert [part.kind for part in dice.parts] == ["architecture", "loss", "interaction", "seed", "test images"]
    assert dice.parts[0].share > 0.5
    assert found.next[0].gain == max(cell.gain for cell in found.next)


def test_every_metric_of_every_board_is_progress(tmp_path: Path) -> None:
    for camera in ("handheld", "still"):
        for seed in range(2):
            keep(tmp_path, 0.8 + 0.01 * seed, seed, data={"kind": "synthetic", "camera": camera})
    told: list[tuple[str, int, int]] = []
    explain(tmp_path, ["mask_dice", "depth_rmse"], progress=lambda *done: told.append(done))
    assert told == [(name, done, 4) for done, name in enumerate(["mask_dice", "depth_rmse"] * 2)]


def test_models_and_losses(tmp_path: Path) -> None:
    for model, dice in (("unet", 0.8), ("unet[width=8]", 0.9)):
        for recipe, more in (("mask: bce, depth: 2*ssim", 0.0), ("mask: bce", -0.1)):
            for seed in range(2):
                facts = {"model": model, "recipe": recipe, "recipe_name": recipe}
                keep(tmp_path, dice + more + 0.01 * seed, seed, **facts)
    (found,) = explain(tmp_path, ["mask_dice"])
    kinds = {part.kind for part in found.metrics["mask_dice"].parts}
    assert kinds == {"architecture", "loss", "interaction", "seed", "test images"}
    assert {cell.seed for cell in found.next} >= {2}
    page = io.StringIO()
    Console(width=150, file=page).print(explanation_tables([found]))
    assert "bench run --model 'unet[width=8]' --loss 'mask: bce" in page.getvalue(), "as a shell needs it"


def test_a_tuned_board_is_gone_on_with_by_a_sweep() -> None:
    (found,) = explain(RESULTS / "tuned", ["mask_dice"])
    tune = "--tune optimizer.lr="
    assert found.commands and all(text.startswith("bench sweep ") and tune in text for text in found.commands)


def test_rows_that_fit_a_condition_alone(tmp_path: Path) -> None:
    keep(tmp_path, 0.3, model="constant", recipe="", recipe_name="none")
    for model, dice in (("unet", 0.8), ("wnet", 0.7), ("smp/unet/mit_b0", 0.0)):
        for seed in range(3):
            keep(tmp_path, dice + 0.02 * seed, seed, model=model)
    (whole,), (learnt,) = (
        explain(tmp_path, ["mask_dice"]),
        explain(tmp_path, ["mask_dice"], where=["mask_dice/skill>0"]),
    )
    sizes = [found.metrics["mask_dice"].parts[0].deviation for found in (whole, learnt)]
    assert sizes[1] < sizes[0] / 3
    assert "2 of 3 cells count: mask_dice/skill>0" in learnt.notes
    assert not any("count" in note for note in whole.notes)
    with pytest.raises(BenchError, match=r"no board where model=u\* and mask_dice<0 has two runs"):
        explain(tmp_path, where=["model=u*", "mask_dice<0"])
    with pytest.raises(BenchError, match="unknown column 'dice'"):
        explain(tmp_path, where=["dice>0"])


def test_the_cell_that_is_missing_is_run_next() -> None:
    cells = [cell for cell in made((0.03, 0.02, 0.02, 0.005)).cells if cell[:2] != ("m2", "l1")]
    (first, *_) = next_cells({"x": Explained.of(Grid(cells), None)}, {cell[:2]: {0, 1, 2} for cell in cells}, 2)
    assert (first.model, first.loss, first.seed) == ("m2", "l1", 0)


def test_nothing_to_explain(tmp_path: Path) -> None:
    keep(tmp_path, 0.8)
    with pytest.raises(BenchError, match="no board has two runs"):
        explain(tmp_path)
    with pytest.raises(UnknownName):
        explain(tmp_path, ["no_such"])
