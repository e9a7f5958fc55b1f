"""cuDNN tries its algorithms on every shape that it meets: it may do so on those that come again, batch after batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from bench.core.machine import steady_arithmetic
from bench.report.listeners.prediction_picture import PredictionPicture
from bench.report.listeners.tensorboard import TensorBoard
from bench.report.listeners.thumbnails import Thumbnails
from bench.run.predict.picture_files import find_pictures
from bench.run.predict.prediction import predict_files
from bench.run.trained import trained_run
from bench.train import evaluate as evaluation
from bench.train.checks.trial import try_out
from bench.train.events import Listeners
from registry.contract import Model
from tests.bench.rectangles import Rectangles
from tests.bench.run.predict.shots import shots
from tests.bench.run.small_runs import CPU, SMALL, small_run, small_runner

BATCH = SMALL["batch"]


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[torch.Size]]:
    """Shapes of images that networks are given while cuDNN tries, as on a GPU."""
    shapes: set[torch.Size] = set()

    def called(module: nn.Module, images: tuple[Any, ...]) -> None:
        if isinstance(module, Model) and torch.backends.cudnn.benchmark:
            shapes.update(image.shape for image in images if isinstance(image, Tensor) and not image.is_meta)

    monkeypatch.setattr(evaluation, "_shapes_are_dear", lambda device: True)
    kept, hook = torch.backends.cudnn.benchmark, register_module_forward_pre_hook(called)
    steady_arithmetic()
    yield shapes
    hook.remove()
    torch.backends.cudnn.benchmark = kept


@pytest.mark.parametrize("val_samples", [3, 8, 12])
def test_a_run_tries_the_shape_of_its_steps_alone(tmp_path: Path, tried: set[torch.Size], val_samples: int) -> None:
    source = Rectangles()
    run = small_run(source, val_samples=val_samples, test_samples=5)
    try_out(run, source, CPU)
    shown = Listeners([PredictionPicture(), Thumbnails(), TensorBoard()])
    record, _ = small_runner(tmp_path, source, shown).run(run)
    assert record.outcome == "finished", record.reason
    assert tried == {torch.Size((BATCH, 3, SMALL["size"], SMALL["size"]))}


def test_pictures_of_any_size_are_not_tried(tmp_path: Path, tried: set[torch.Size]) -> None:
    source = Rectangles()
    record, _ = small_runner(tmp_path, source).run(small_run(source))
    run = trained_run(tmp_path / "results", tmp_path / "runs", record.id, CPU)
    shots(tmp_path / "in", {"a": (45, 37), "b": (32, 64)})
    tried.clear()
    assert predict_files(run, find_pictures([tmp_path / "in"]).pictures, lambda predicted: None) == []
    assert tried == set()
