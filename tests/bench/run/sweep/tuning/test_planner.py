"""Tuning with made-up scores: every cell gets the same trials, the best value wins, halving counts."""

from collections.abc import Callable

import pytest

from bench.core.errors import BenchError
from bench.core.record import Epoch, Score, TrialRecord
from bench.core.spec import RunSpec
from bench.run.sweep.grid.grid import Cell
from bench.run.sweep.task import Task
from bench.run.sweep.tuning.planner import TUNING_SEED, TuningPlanner, check_tuned, rungs
from bench.run.sweep.tuning.score import Weights, headline_of, score
from bench.run.sweep.tuning.trial_grid import TrialGrid
from registry.losses import parse
from tests.bench.records import ENVIRONMENT, record

MASK, DEPTH = headline_of("mask"), headline_of("depth")
BASELINES = [record("constant", "").spec, record("mean_map", "").spec]
Quality = Callable[[str, float], float | None]
"""A model and a value to mask and depth metrics alike; None for a trial that diverges."""


def tried(task: Task, quality: Quality) -> TrialRecord:
    assert task.trial is not None
    value = 0.2 if not task.trial.parameter else quality(task.spec.model, task.trial.value)
    heads = parse(task.spec.recipe).heads if task.spec.recipe else ("mask", "depth")
    scores = {
        key: Score(value=value, images=8) if head in heads else Score(value=None, images=0)
        for head, key in (("mask", MASK), ("depth", DEPTH))
    }
    epoch = Epoch(
        epoch=1, size=32, learning_rate=0.1, train_loss={"total": 1.0, **dict.fromkeys(heads, 0.5)}, val_loss={},
        val_metrics={},
    )  # fmt: skip
    return TrialRecord(
        id=task.spec.id, spec=task.spec, recipe_name=task.recipe_name, parameter=task.trial.parameter,
        value=task.trial.value, epochs_done=task.trial.epochs, outcome="finished" if value is not None else "diverged",
        validation=scores if value is not None else {}, epochs=[epoch] if task.spec.recipe else [],
        started="2026-01-01T00:00:00+00:00", finished="2026-01-01T00:00:00+00:00", seconds=1.0, code="0" * 12,
        arithmetic="0", environment=ENVIRONMENT,
    )  # fmt: skip


def spec_of(model: str, epochs: int = 8, recipe: str = "mask: bce, depth: 2*ssim") -> tuple[Cell, RunSpec]:
    spec = record(model, recipe).spec
    spec = spec.model_copy(update={"protocol": spec.protocol.override(epochs=epochs)})
    return Cell(model, parse(recipe), recipe), spec


def tune(quality: Quality, text: str = "optimizer.lr=1e-3..1e-1@5", models=("unet", "wnet"), **more):
    """Everything made at once; the planner, all trials in order, and all runs."""
    asked = {key: more.pop(key) for key in ("epochs", "recipe") if key in more}
    cells = [spec_of(model, **asked) for model in models]
    planner = TuningPlanner(
        TrialGrid.parse(text), cells, [0, 1, 2], BASELINES, more.pop("weights", Weights.parse()), **more,
    )  # fmt: skip
    waiting = [task for _, task in planner.begin()]
    trials: list[Task] = []
    runs: list[Task] = []
    while waiting:
        task = waiting.pop(0)
        if task.trial is None:
            runs.append(task)
            continue
        trials.append(task)
        waiting += [each for _, each in planner.ended(task, tried(task, quality))]
    return planner, [task for task in trials if task.trial.parameter], runs


def peak(places: dict[str, float]) -> Quality:
    import math

    return lambda model, value: 0.9 - 0.1 * abs(math.log10(value / places[model]))


def test_every_cell_gets_the_same_trials_and_its_own_best_value() -> None:
    _, trials, runs = tune(peak({"unet": 1e-3, "wnet": 1e-2}))
    by_model = {model: [task for task in trials if task.spec.model == model] for model in ("unet", "wnet")}
    assert [len(each) for each in by_model.values()] == [6, 6]  # five of the grid, and the protocol's own 0.003
    assert {task.spec.seed for task in trials} == {TUNING_SEED}
    assert [[task.trial.value for task in each] for each in by_model.values()] == [
        [0.001, 0.003, 0.00316, 0.01, 0.0316, 0.1]
    ] * 2
    assert [task.trial.reference for task in by_model["unet"]] == [False, True, False, False, False, False]
    chosen = {task.spec.model: task.tuning for task in runs}
    assert {model: (tuning.value, tuning.edge) for model, tuning in chosen.items()} == {
        "unet": (0.001, "lowest"), "wnet": (0.01, None),
    }  # fmt: skip
    assert {tuning.division for tuning in chosen.values()} == {"tuned (5 trials)"}
    assert [(task.spec.model, task.spec.seed) for task in runs if task.spec.model == "unet"] == [
        ("unet", 0), ("unet", 1), ("unet", 2),
    ]  # fmt: skip
    assert {task.spec.protocol.optimizer for task in runs} == {"adam", "adam[lr=0.01]"}  # 0.001 is adam's default
    tuning = chosen["wnet"]
    assert tuning.untuned == 0.003
    assert tuning.untuned_score == pytest.approx((0.9 - 0.1 * 0.5229 - 0.2) / 0.8, abs=1e-3)
    assert tuning.score == pytest.approx(0.7 / 0.8)


def test_the_reference_is_never_chosen() -> None:
    _, _, runs = tune(lambda model, value: 0.9 if value == 0.003 else 0.5)
    assert all(task.tuning.value != 0.003 for task in runs)


def test_a_value_of_the_grid_needs_no_reference() -> None:
    _, trials, runs = tune(peak({"unet": 3e-3}), "optimizer.lr=1e-3,3e-3,1e-2", ("unet",))
    assert len(trials) == 3
    assert runs[0].tuning.untuned_score == runs[0].tuning.score


def test_what_diverges_is_not_chosen_and_a_cell_without_a_score_has_no_runs() -> None:
    planner, _, runs = tune(lambda model, value: None if model == "wnet" or value > 0.005 else value)
    assert {task.spec.model for task in runs} == {"unet"}
    assert runs[0].tuning.value == 0.00316
    assert [each.outcome for each in runs[0].tuning.tried][-2:] == ["diverged", "diverged"]
    assert [cell.model for cell in planner.failed] == ["wnet"]


def test_halving_spends_less_and_keeps_the_best() -> None:
    _, whole, _ = tune(peak({"unet": 1e-2}), models=("unet",))
    gone: list[float] = []
    _, trials, runs = tune(
        peak({"unet": 1e-2}), models=("unet",), prune=True, pruned=lambda task: gone.append(task.trial.value)
    )
    assert runs[0].tuning.value == 0.01
    assert runs[0].tuning.division == "tuned (5 trials, pruned)"
    ends: dict[float, int] = {}
    for task in trials:
        ends[task.trial.value] = max(ends.get(task.trial.value, 0), task.trial.epochs)
    assert sorted(ends.values()) == [2, 2, 4, 8, 8, 8]
    assert sum(ends.values()) < sum(task.trial.epochs for task in whole)
    assert len({*gone}) == 3 and 0.01 not in gone


def test_rungs() -> None:
    assert rungs(16, 8) == [2, 4, 8, 16]
    assert rungs(1, 64) == [1]
    assert rungs(10, 2) == [5, 10]


def test_nothing_is_chosen_before_the_baselines_are_known() -> None:
    values = TrialGrid.parse("optimizer.lr=1e-3,1e-2")
    planner = TuningPlanner(values, [spec_of("unet")], [0], BASELINES, Weights.parse())
    first = [task for _, task in planner.begin()]
    baselines = [task for task in first if not task.trial.parameter]
    quality = peak({"unet": 1e-3})
    runs = [each for task in first if task.trial.parameter for _, each in planner.ended(task, tried(task, quality))]
    assert not runs
    runs = [each for task in baselines for _, each in planner.ended(task, tried(task, quality))]
    assert len(runs) == 1


def test_what_is_done_already_is_not_tried_again() -> None:
    quality = peak({"unet": 1e-3, "wnet": 1e-2})
    planner = TuningPlanner(
        TrialGrid.parse("optimizer.lr=1e-3..1e-1@5"), [spec_of("unet"), spec_of("wnet")], [0, 1], BASELINES,
        Weights.parse(), found=lambda task: None if task.spec.model == "wnet" else tried(task, quality),
    )  # fmt: skip
    tasks = [task for _, task in planner.begin()]
    assert [task.spec.seed for task in tasks if task.trial is None] == [0, 1]
    assert {task.spec.model for task in tasks if task.trial is not None} == {"wnet"}


def test_the_score_is_the_mean_skill_of_the_heads_whatever_the_recipe() -> None:
    trial = {"parameter": "", "value": 0, "epochs": 2}
    tasks = [Task(spec=spec, recipe_name="", trial=trial) for spec in BASELINES]
    baselines = [tried(task, lambda m, v: 0.2) for task in tasks]
    trial = tried(
        Task(spec=record().spec, recipe_name="", trial={"parameter": "optimizer.lr", "value": 1, "epochs": 2}),
        lambda m, v: 0.6,
    )
    trial = trial.model_copy(update={"validation": {**trial.validation, DEPTH: Score(value=1.0, images=8)}})
    assert score(trial, baselines, Weights.parse()) == pytest.approx((0.5 + 1.0) / 2)
    assert score(trial, baselines, Weights.parse("mask=3,depth=1")) == pytest.approx((1.5 + 1.0) / 4)
    assert score(trial, baselines, Weights.parse("mask=1")) == pytest.approx(0.5)
    missing = trial.model_copy(update={"validation": {**trial.validation, DEPTH: Score(value=None, images=0)}})
    assert score(missing, baselines, Weights.parse()) is None
    assert score(trial.model_copy(update={"outcome": "diverged"}), baselines, Weights.parse()) is None


@pytest.mark.parametrize("recipe", ["mask: bce + dice", "depth: l1"])
def test_a_head_that_is_not_trained_has_no_part_in_the_score(recipe: str) -> None:
    planner, trials, runs = tune(peak({"unet": 1e-2, "wnet": 1e-2}), recipe=recipe)
    assert (len(trials), len(runs), planner.failed) == (12, 6, [])
    assert {task.tuning.value for task in runs} == {0.01}
    assert [each.score for each in runs[0].tuning.tried if each.value == 0.01] == pytest.approx([(0.9 - 0.2) / 0.8])
    other = {"mask": "depth=1", "depth": "mask=1"}[recipe.partition(":")[0]]
    assert not tune(peak({"unet": 1e-2}), models=("unet",), recipe=recipe, weights=Weights.parse(other))[2]


@pytest.mark.parametrize("text", ["mask", "mask=x", "edge=1", "mask=-1", "mask=0,depth=0"])
def test_weights_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BenchError, match="--weights"):
        Weights.parse(text)


def test_a_cell_without_the_number_is_refused_before_anything_is_made() -> None:
    with pytest.raises(BenchError, match="has no term l1"):
        tune(peak({"unet": 1}), "loss.depth.l1.weight=1,2", ("unet",))
    with pytest.raises(BenchError, match="that of trials"):
        check_tuned([TUNING_SEED])
