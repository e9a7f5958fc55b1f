"""Data without backgrounds or masks: models see what there is; baselines that cannot be fitted are left out, aloud."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.data.split import Part
from bench.run.baselines import fitting, why_left_out
from bench.run.evaluate.evaluation import Evaluator
from bench.run.experiment import Experiment
from bench.run.robust.robustness import robustness
from bench.run.trained import trained_run
from bench.train.events import Listener
from registry.contract import Quartet
from registry.models import models
from registry.models.baselines import BackgroundDifference
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import SMALL
from tests.bench.run.sweep.made_up import small_sweep

DATA = {
    "all": (),
    "no masks": ("mask",),
    "no backgrounds": ("bg",),
    "depth alone": ("mask", "bg"),
    "masks alone": ("bg", "depth"),
}
LOSS = {"mask": "depth: l1", "depth": "mask: bce"}


@models.register(stride=1, heads=("mask",), fitted=True, needs=("bg",))
def own() -> BackgroundDifference:
    """A baseline of one's own."""
    return BackgroundDifference()


class Lacking(Rectangles):
    """Without some fields."""

    def __init__(self, *lacks: str, seed: int = 0) -> None:
        super().__init__(has_depth="depth" not in lacks)
        self.lacks, self.seed = lacks, seed
        self.has_mask, self.has_background = "mask" not in lacks, "bg" not in lacks

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "lacks": self.lacks, "seed": self.seed}

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        return replace(super().scenes(part, ids, size), **{name: None for name in self.lacks if name != "depth"})


def experiment(folder: Path, source: Lacking, **more: Any) -> Experiment:
    loss = next((LOSS[name] for name in source.lacks if name in LOSS), "mask: bce, depth: l1")
    protocol = find_protocol("quick").override(**SMALL)
    places = {"results": folder / "results", "runs": folder / "runs"}
    return Experiment(["unet[width=4]"], loss, source, protocol=protocol, seeds=[0], device="cpu", **places, **more)


@pytest.mark.parametrize(
    ("lacks", "inputs", "fits"),
    [
        ((), "pair", ("difference", "constant", "mean_map")),
        ((), "image", ("constant", "mean_map")),
        (("mask",), "pair", ("constant", "mean_map")),
        (("bg",), "image", ("constant", "mean_map")),
        (("mask", "depth"), "pair", ()),
    ],
)
def test_those_that_can_be_fitted(lacks: tuple[str, ...], inputs: Any, fits: tuple[str, ...]) -> None:
    assert fitting(Lacking(*lacks), inputs) == fits
    assert why_left_out("unet", Lacking(*lacks), inputs) is None


@pytest.mark.parametrize("data", DATA)
def test_a_run_on_such_data_finishes_and_can_be_used(data: str, tmp_path: Path) -> None:
    made = experiment(tmp_path, Lacking(*DATA[data]))
    records = {record.spec.model: record for record, _, _ in made.run(Listener(), lambda _: None)}
    assert not made.failed and {record.outcome for record in records.values()} == {"finished"}
    assert ("difference" in records) == (data == "all")
    assert ("difference is left out" in made.headline()) == (data != "all")
    alone = "bg" in DATA[data]
    assert {record.spec.inputs for record in records.values()} == {"image" if alone else "pair"}
    assert ("models see each picture alone" in made.headline()) == alone

    run = trained_run(tmp_path / "results", tmp_path / "runs", "unet[width=4]", torch.device("cpu"))
    assert run.needs_background == (not alone)
    other = Lacking(*DATA[data], seed=1)
    evaluation, _ = Evaluator(other, tmp_path / "results").evaluate(run)
    assert evaluation.test
    assert robustness(run, other, None, 8).curves


def test_a_sweep_plans_those_that_can_be_fitted(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, loss="depth: l1", baselines=True, source=Lacking("mask", "bg"))
    planned = {task.spec.model: task.spec.inputs for task in sweep.plan.left}
    assert planned == {"constant": "image", "mean_map": "image", "unet[width=4]": "image"}
    assert sweep.plan.tasks == 3
    assert "difference is left out: the data has no backgrounds" in sweep.headline()


def test_a_baseline_that_was_asked_for_says_why_it_cannot_be_had(tmp_path: Path) -> None:
    made = experiment(tmp_path, Lacking("bg"))
    with pytest.raises(BenchError, match="difference cannot be fitted: the data has no backgrounds"):
        replace(made, models=["difference"])


def test_a_baseline_of_ones_own_is_fitted_once_and_says_what_it_needs(tmp_path: Path) -> None:
    key = f"{__name__}:own"
    made = replace(experiment(tmp_path, Lacking()), models=[key], seeds=[0, 1], baselines=False)
    ((record, _, _),) = made.run(Listener(), lambda _: None)
    assert (record.spec.model, record.spec.recipe, record.spec.seed, record.outcome) == (key, "", 0, "finished")
    with pytest.raises(BenchError, match="own cannot be fitted: the data has no backgrounds"):
        replace(made, source=Lacking("bg"))
