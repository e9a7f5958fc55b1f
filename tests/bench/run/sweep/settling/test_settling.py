"""Settling: the bound holds at all looks together, and the planner spends seeds where a comparison is open."""

import numpy as np
import pytest

from bench.core.record import Record
from bench.devtools.settling import MOST, simulate
from bench.metrics import metrics
from bench.run.sweep.settling.bound import Bound
from bench.run.sweep.settling.planner import SettlingPlanner
from bench.run.sweep.task import Task
from tests.bench.records import record

DICE = metrics.facts("mask_dice")


@pytest.mark.parametrize("error", [0.05, 0.01])
def test_the_error_holds_at_all_looks_together(error: float) -> None:
    bound, draws, paths = Bound(3, 10, error), np.random.default_rng(5), 4000
    wrong = 0
    for _ in range(paths):
        values = draws.normal(0, draws.uniform(0.1, 9), 10)
        wrong += any(bound.verdict(values[:count].tolist()) == "worse" for count in range(3, 11))
    assert wrong / paths < error + 3 * (error * (1 - error) / paths) ** 0.5
    assert wrong / paths > error / 2  # and is not given away


def test_a_plain_test_at_every_look_would_not_hold() -> None:
    bound = Bound(3, 10, 0.05)
    assert bound.level < 0.5 * 0.05


def test_verdicts() -> None:
    bound = Bound(3, 10, 0.05, margin=0.01)
    assert bound.verdict([0.1, 0.1]) == "open"
    assert bound.verdict([0.1, 0.11, 0.09, 0.1]) == "worse"
    assert bound.verdict([0.0001, -0.0001, 0.0002, 0.0001]) == "equal"
    assert bound.verdict([0.1, -0.1, 0.05]) == "open"
    assert Bound(3, 10, 0.05).verdict([0.0001, -0.0001, 0.0002]) == "open"


def test_by_simulation_it_errs_no_more_often_and_makes_fewer_runs_than_a_fixed_number() -> None:
    equal = simulate([0.8] * 5, 400, sequential=True)
    assert equal.lost < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5
    apart = [0.8 - 0.02 * place for place in range(10)]
    ours, fixed = simulate(apart, 200, sequential=True), simulate(apart, 200, sequential=False)
    assert fixed.runs == MOST * 10
    assert ours.runs < 0.7 * fixed.runs
    assert ours.lost <= 0.05
    assert abs(ours.wrong - fixed.wrong) <= 0.03


def run(planner: SettlingPlanner, quality: dict[str, float], noise: float, seeds: int, done: int = 0):
    """Make everything one after the other; returns how many runs each model had."""
    draws = np.random.default_rng(0)
    tasks = [
        ((seed, place), Task(spec=record(model, seed=seed).spec, recipe_name="bce_ssim"))
        for seed in range(seeds)
        for place, model in enumerate(quality)
    ]
    noises = draws.normal(0, noise, (seeds, len(quality)))

    def finished(task: Task) -> Record:
        value = quality[task.spec.model] + noises[task.spec.seed, list(quality).index(task.spec.model)]
        made = record(task.spec.model, seed=task.spec.seed, dice=float(np.clip(value, 0, 1)))
        return made.model_copy(update={"outcome": "failed", "test": {}} if value < 0 else {})

    waiting = [*planner.begin(tasks[done:], [finished(task) for _, task in tasks[:done]])]
    made: dict[str, int] = {}
    while waiting:
        order, task = min(waiting, key=lambda item: item[0])
        waiting.remove((order, task))
        made[task.spec.model] = made.get(task.spec.model, 0) + 1
        waiting += planner.ended(task, finished(task))
    return made


def planner_of(cells: int, most: int = 10, **more) -> SettlingPlanner:
    return SettlingPlanner("mask_dice", DICE, cells, 3, most, **more)


def test_seeds_go_where_it_is_open() -> None:
    quality = {"unet": 0.8, "wnet": 0.79, "masknet": 0.3}
    planner = planner_of(3)
    made = run(planner, quality, 0.02, 10)
    assert made["masknet"] == 3 < made["wnet"] == made["unet"] == 10
    lines = planner.summary()
    assert lines[0].startswith("leader by mask_dice: unet")
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["open", "worse"]


def test_all_settled_after_the_first_seeds() -> None:
    assert run(planner_of(3), {"unet": 0.9, "wnet": 0.5, "masknet": 0.1}, 0.001, 10) == {
        "unet": 3, "wnet": 3, "masknet": 3,
    }  # fmt: skip


def test_equal_within_a_margin() -> None:
    planner = planner_of(2, margin=0.05)
    made = run(planner, {"unet": 0.8, "wnet": 0.8}, 0.004, 10)
    assert made["unet"] < 10
    assert planner.summary()[1].strip().startswith("equal")


def test_a_cell_with_a_failed_run_gets_no_more() -> None:
    planner = planner_of(3)
    made = run(planner, {"unet": 0.8, "wnet": 0.79, "masknet": -1.0}, 0.02, 6)
    assert made["masknet"] <= 3
    assert made["unet"] == made["wnet"] == 6
    assert "failed: masknet" in "\n".join(planner.summary())


def test_what_is_done_already_counts() -> None:
    made = run(planner_of(2), {"unet": 0.9, "wnet": 0.5}, 0.001, 10, done=6)
    assert made == {}
