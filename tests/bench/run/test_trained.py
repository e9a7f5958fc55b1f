"""Weights of a user's own model whose code has changed since: used, and said to be."""

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BenchError
from bench.results.store import evaluations
from bench.run.evaluate.evaluation import Evaluator
from bench.run.robust.robustness import robustness
from bench.run.trained import initial_weights, trained_run
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.run.predict.shots import shots
from tests.bench.run.trained_model import make

CPU = torch.device("cpu")
CODE = """
import torch
from torch import nn

from registry.contract import Prediction


class Net(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, width, padding=width // 2)

    def forward(self, bg, bg_fg):
        return Prediction(*self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1))
"""
SAID = "the code of changing_net:Net has changed since it was trained"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a run of a model of one's own, with its code."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "changing_net.py").write_text(CODE)
    make(tmp_path, Rectangles(), model="changing_net:Net")
    return tmp_path


def change(folder: Path) -> None:
    (folder / "changing_net.py").write_text(CODE + "# harmless\n")


def run_of(folder: Path):
    return trained_run(folder / "results", folder / "runs", "changing_net:Net", CPU)


class Elsewhere(Rectangles):
    def describe(self) -> dict:
        return {**super().describe(), "seed": 7}


def test_code_that_has_changed_is_a_note_of_every_figure(folder: Path) -> None:
    run = run_of(folder)
    assert not run.code_change
    evaluation, _ = Evaluator(Elsewhere(), folder / "results").evaluate(run)
    assert not any(SAID in note for note in evaluation.notes)
    change(folder)
    _, path = Evaluator(Elsewhere(), folder / "results").evaluate(run)
    assert any(SAID in note for note in evaluations.read(path).notes)
    assert any(SAID in note for note in robustness(run, Rectangles(), disturbances=[]).notes)


def test_predictions_by_code_that_has_changed_are_warned_of(folder: Path) -> None:
    shots(folder / "in", {"a": (32, 32)})
    words = ["predict", "changing_net:Net", "--in", folder / "in", "--out", folder / "out", "--device", "cpu"]
    words += ["--results", folder / "results", "--runs", folder / "runs"]
    before = CliRunner().invoke(app, [*map(str, words)])
    assert before.exit_code == 0 and SAID not in before.output
    change(folder)
    after = CliRunner().invoke(app, [*map(str, words)])
    assert after.exit_code == 0 and f"warning: {SAID}" in after.output


def test_a_run_that_starts_from_them_is_told(folder: Path) -> None:
    assert not initial_weights(folder / "results", folder / "runs", "changing_net:Net").code_change
    change(folder)
    assert SAID in initial_weights(folder / "results", folder / "runs", "changing_net:Net").code_change


def test_weights_that_no_longer_fit_name_the_cause(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(folder)
    wider = models.build("changing_net:Net[width=5]")
    monkeypatch.setattr(models, "build", lambda key: wider)
    with pytest.raises(BenchError, match=f"does not fit changing_net:Net as this version builds it: {SAID}"):
        run_of(folder)


def test_models_of_this_project_say_nothing(folder: Path) -> None:
    record = make(folder, Rectangles())
    assert "own_code" not in record.facts
    assert not trained_run(folder / "results", folder / "runs", record.id, CPU).code_change
