"""Runs on other data: recorded apart, beside baselines fitted there, compared only where that means something."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BadData, BenchError
from bench.metrics.summary import skill
from bench.report.terminal.results.evaluation_table import evaluation_table, order_table
from bench.results import store
from bench.results.store import evaluations
from bench.run.evaluate.board_evaluation import evaluate_board, find_board
from bench.run.evaluate.evaluation import Evaluator
from bench.run.trained import TrainedRun, trained_run
from tests.bench.rectangles import Rectangles
from tests.bench.report.terminal.drawn import drawn
from tests.bench.results_folder import keep
from tests.bench.run.trained_model import make

CPU = torch.device("cpu")


class Elsewhere(Rectangles):
    """The same with another seed, and another encoding of depth if that is asked for."""

    seed = 7

    def __init__(self, encoding: str = Rectangles.encoding, alone: bool = False) -> None:
        super().__init__()
        self.encoding, self.alone, self.has_background = encoding, alone, not alone

    def describe(self) -> dict:
        return {**super().describe(), "seed": self.seed, "encoding": self.encoding}

    def scenes(self, part, ids, size):
        quartet = super().scenes(part, ids, size)
        return replace(quartet, bg=None) if self.alone else quartet


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for model in ("unet[width=4]", "unet[width=6]"):
        make(folder, Rectangles(), model=model)
    return folder


def run_of(folder: Path) -> TrainedRun:
    return trained_run(folder / "results", folder / "runs", "unet[width=4]", CPU)


def test_an_evaluation_is_recorded_apart(folder: Path) -> None:
    run, results = run_of(folder), folder / "results"
    before = [name for name, _ in store.read_all(results)]
    evaluation, path = Evaluator(Elsewhere(), results).evaluate(run)
    assert path.parent == results / evaluations.FOLDER
    assert [name for name, _ in store.read_all(results)] == before
    read = evaluations.read(path)
    assert read.model_copy(update={"images": None, "checksum": None}) == evaluation
    assert (read.run, read.record, read.samples, read.fitted_on) == (run.record.id, run.name, 8, 16)
    assert set(read.baselines) == {"difference", "constant", "mean_map"}
    baselines = [of["mask_dice"].value for of in read.baselines.values()]
    assert read.skill["mask_dice"] == skill(read.test["mask_dice"].value, baselines, read.metrics["mask_dice"])
    columns = evaluations.read_images(path)
    assert sum(columns["mask_dice"]) / 8 == pytest.approx(read.test["mask_dice"].value, abs=1e-4)
    assert columns["background"] == [0, 1, 2, 0, 1, 2, 0, 1]
    schema = json.loads((path.parent / store.SCHEMA).read_text())
    assert schema["title"] == "EvaluationRecord"


def test_a_changed_evaluation_is_refused(folder: Path, tmp_path: Path) -> None:
    _, path = Evaluator(Elsewhere(), tmp_path, samples=4).evaluate(run_of(folder))
    path.write_text(path.read_text().replace('"samples": 4', '"samples": 5'))
    with pytest.raises(BadData, match="checksum"):
        evaluations.read(path)


def test_its_own_data_is_no_other_data(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="very data"):
        Evaluator(Rectangles(), tmp_path).evaluate(run_of(folder))
    with pytest.raises(BenchError, match="another --size, or more --samples"):
        Evaluator(Rectangles(), tmp_path, samples=4).evaluate(run_of(folder))


@pytest.mark.parametrize(("samples", "size"), [(16, None), (None, 48)])
def test_another_test_on_its_own_data_is_none_of_its_record(
    folder: Path, tmp_path: Path, samples: int | None, size: int | None
) -> None:
    found, _ = Evaluator(Rectangles(), tmp_path, samples, size).evaluate(run_of(folder))
    assert (found.samples, found.size) == (samples or 8, size or 32)
    assert not found.leaks
    with pytest.raises(BenchError, match="multiples of 16, not 40"):
        Evaluator(Rectangles(), tmp_path, size=40).evaluate(run_of(folder))


def test_metric_depth_is_brought_to_the_datas_range(folder: Path, tmp_path: Path) -> None:
    same, _ = Evaluator(Elsewhere(), tmp_path).evaluate(run_of(folder))
    source = Elsewhere("metric, 1.0 = 20 m")
    quartet = source.scenes("test", torch.arange(8), 32)
    halved, path = Evaluator(source, tmp_path).evaluate(run_of(folder))
    assert quartet.depth.max() < 1
    assert "brought" in halved.notes[0]
    assert halved.test["mask_dice"] == same.test["mask_dice"]
    # Targets stay as they are while predictions are halved: errors of what lay too near grow.
    assert halved.test["depth_rmse"].value != same.test["depth_rmse"].value
    assert path.exists()


def test_depth_beyond_the_datas_range_is_scored_as_what_it_is(folder: Path, tmp_path: Path) -> None:
    run, source = run_of(folder), Elsewhere("metric, 1.0 = 1 m")
    found, _ = Evaluator(source, tmp_path).evaluate(run)
    quartet = source.render("test", torch.arange(8), 32)
    depth = run.predict(quartet).depth.value * 10
    by_hand = (depth - quartet.depth).square().mean((1, 2, 3)).sqrt().mean()
    assert depth.min() > 1, "the network says nothing that this range holds"
    assert found.test["depth_rmse"].value == pytest.approx(float(by_hand), rel=0.02)
    assert found.test["depth_rmse"].value > 1


def test_a_run_on_depth_alone_is_shown_aligned_where_encodings_differ(tmp_path: Path) -> None:
    make(tmp_path, Rectangles(), recipe="depth: l1")
    run = run_of(tmp_path)
    found, _ = Evaluator(Elsewhere("8-bit map, 1.0 = 255, greater is farther"), tmp_path).evaluate(run)
    table = drawn(evaluation_table(found, run.record), 200)
    assert "depth_abs_rel_aligned" in table
    assert "only figures after the best scale and shift are compared" in table
    with pytest.raises(BenchError, match="greater is nearer in one of them alone"):
        Evaluator(Elsewhere("inverse, 1.0 = nearest"), tmp_path).evaluate(run)


@pytest.mark.parametrize(
    ("encoding", "aligned"), [("8-bit map, 1.0 = 255, greater is farther", True), ("inverse, 1.0 = nearest", False)]
)
def test_other_encodings_are_compared_aligned_or_not_at_all(
    folder: Path, tmp_path: Path, encoding: str, aligned: bool
) -> None:
    found, _ = Evaluator(Elsewhere(encoding), tmp_path).evaluate(run_of(folder))
    depth = {name for name in found.test if name.startswith("depth")}
    assert depth == ({"depth_abs_rel_aligned", "depth_delta1_aligned"} if aligned else set())
    assert "mask_dice" in found.test


def test_pairs_need_backgrounds(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no backgrounds"):
        Evaluator(Elsewhere(alone=True), tmp_path).evaluate(run_of(folder))


def test_what_sees_one_image_is_not_held_against_difference(folder: Path, tmp_path: Path) -> None:
    run = run_of(folder)
    spec = run.record.spec.model_copy(update={"inputs": "image"})
    alone = replace(run, record=run.record.model_copy(update={"spec": spec}))
    found, _ = Evaluator(Elsewhere(alone=True), tmp_path).evaluate(alone)
    assert set(found.baselines) == {"constant", "mean_map"}
    assert any("difference is left out" in note for note in found.notes)


def test_a_board_on_other_data(folder: Path) -> None:
    results = folder / "results"
    told: list[tuple[int, int]] = []
    evaluator = Evaluator(Elsewhere(), results)
    found = evaluate_board(
        evaluator,
        find_board(results, "rectangles"),
        folder / "runs",
        CPU,
        lambda what, at, total: told.append((at, total)),
    )
    assert found.cells == ("unet[width=4]:mask: bce, depth: l1", "unet[width=6]:mask: bce, depth: l1")
    assert told == [(1, 2), (2, 2)]
    assert "depth_rmse" in found.agreements
    assert all(each.tau in (-1, 1) or each.tau != each.tau for each in found.agreements.values())
    own = dict(store.read_all(results))[run_of(folder).name].test["depth_rmse"].value
    assert found.agreements["depth_rmse"].here[0] == pytest.approx(own, rel=1e-3)


def test_a_board_says_what_its_evaluations_say(folder: Path) -> None:
    results = folder / "results"
    evaluator = Evaluator(Elsewhere("inverse, 1.0 = nearest"), results)
    found = evaluate_board(evaluator, find_board(results, "rectangles"), folder / "runs", CPU)
    assert "depth_rmse" not in found.agreements
    assert "no figure of depth is compared" in drawn(order_table(found), 200)


def test_boards_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"no leaderboard is called 'nothing'.*rectangles"):
        find_board(folder / "results", "nothing")
    group = find_board(folder / "results", "rectangles")
    with pytest.raises(BenchError, match="0 of 2 cells left weights"):
        evaluate_board(Evaluator(Elsewhere(), folder / "results"), group, tmp_path, CPU)


def test_the_board_without_tuning_has_a_name(tmp_path: Path) -> None:
    """Its heading is the beginning of those of the tuned boards."""
    for division in ("untuned", "tuned (5 trials)"):
        keep(tmp_path, 0.8, division=division)
    tuned, untuned = (find_board(tmp_path, part).title for part in ("tuned", "untuned"))
    assert tuned == f"{untuned} · tuned (5 trials)"
    assert find_board(tmp_path, untuned).title == find_board(tmp_path, f"{untuned} · untuned").title == untuned
    with pytest.raises(BenchError, match=r"several leaderboards are called 'quick': .* · untuned"):
        find_board(tmp_path, "quick")


def test_the_command(folder: Path) -> None:
    words = ["evaluate", "unet[width=4]", "--results", str(folder / "results"), "--runs", str(folder / "runs")]
    done = CliRunner().invoke(app, [*words, "--device", "cpu", "--samples", "4"])
    assert done.exit_code == 0, done.output
    assert "mask_dice" in done.output
    assert "skill" in done.output
    assert isinstance(CliRunner().invoke(app, [*words, "--board", "quick"]).exception, BenchError)
