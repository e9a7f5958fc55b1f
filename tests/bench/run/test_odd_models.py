"""Models that make measuring on the side hard train as they would alone."""

from pathlib import Path

import pytest
import torch
from torch import nn

from bench.report.listeners.prediction_picture import PredictionPicture
from bench.train.events import Listener, Preview
from bench.train.task_gradients import TaskGradients
from registry.contract import Prediction
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner


class Odd(nn.Module):
    """A net in one of the ways that make measuring it on the side hard."""

    stride = 1

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.calls, self.seen = way, 0, []
        self.conv, self.norm, self.head = nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Conv2d(8, 2, 1)
        if way == "weight_norm":
            self.conv = nn.utils.weight_norm(self.conv)
        if way == "spectral_norm":
            self.conv = nn.utils.spectral_norm(self.conv)
        if way == "spectral parametrization":
            self.conv = nn.utils.parametrizations.spectral_norm(self.conv)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        if self.way == "in place":
            bg.sub_(0.5)
            bg_fg.sub_(0.5)
        x = self.norm(self.conv(torch.cat([bg, bg_fg], 1))).relu()
        if self.training:
            self.calls += 1
            self.steps += 1
            self.seen.append(self.calls)
        if self.way == "keeps" and self.training:
            self.features = x
        if self.way == "counter":
            x = x * (1 + 0.01 * self.calls + 0.01 * len(self.seen))
        if self.way == "buffer":
            x = x * (1 + 0.01 * self.steps)
        if self.way == "prints":
            print("a model that prints")
        return Prediction(*self.head(x).split(1, 1))


WAYS = ("keeps", "weight_norm", "spectral_norm", "spectral parametrization", "prints", "buffer", "counter", "in place")


@pytest.mark.parametrize("way", WAYS)
def test_odd_models_train_as_they_would_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(models, "build", lambda key: Odd(way))
    run = small_run(Rectangles(), "mine:Odd", train_samples=32)

    def weights(folder: Path) -> list[torch.Tensor]:
        record, _ = small_runner(folder, Rectangles(), PredictionPicture()).run(run)
        assert record.outcome == "finished", record.reason
        assert record.gmacs is not None and "gmacs" not in record.facts, "counted before anything calls it"
        return [*torch.load(folder / "runs" / run.spec.id / "best.pt", weights_only=True)["model"].values()]

    measured = weights(tmp_path / "measured")
    monkeypatch.setattr(TaskGradients, "__call__", lambda self, step, quartet: None)
    assert all(map(torch.equal, measured, weights(tmp_path / "alone")))


class Draws(nn.Module):
    """Draws, and counts its calls, in evaluation as well as in training."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.calls = nn.Conv2d(6, 2, 1), 0

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        self.calls += 1
        noise = torch.rand(1) + 0.01 * self.calls
        return Prediction(*(self.conv(torch.cat([bg, bg_fg], 1)) + noise).split(1, 1))


class Looks(Listener):
    """Has the model predict after every epoch, as pictures of validation do."""

    def predictions(self, epoch: int, preview: Preview) -> None:
        preview(4)


def test_pictures_of_validation_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "build", lambda key: Draws())
    run = small_run(Rectangles(), "mine:Draws", epochs=2)
    looked, alone = (
        small_runner(tmp_path / str(number), Rectangles(), listener).run(run)[0]
        for number, listener in enumerate((Looks(), Listener()))
    )
    assert looked.epochs == alone.epochs
    assert looked.test == alone.test
