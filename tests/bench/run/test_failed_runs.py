"""However a run ends it is recorded, with what ended it and where."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from bench.core.errors import BenchError
from bench.data.augment.pipeline import Augmentation
from bench.metrics.scores import Scores
from bench.results import store
from bench.run import runner
from registry.contract import Prediction
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
)
def test_short_memory_is_an_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def train(*_: object) -> None:
        raise error

    monkeypatch.setattr(runner, "train", train)
    record, path = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles()))
    assert record.outcome == "oom"
    assert record.failure.peak_mib is not None
    assert list(store.read_all(tmp_path / "results")) == [(path.name, record)]


class RaisesInStep(nn.Module):
    """Sound when it is tried, then it raises."""

    stride = 1

    def __init__(self, error: BaseException, step: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 1)
        self.error, self.left = error, step

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        if self.training and torch.is_grad_enabled() and len(bg) == 8:
            self.left -= 1
            if not self.left:
                raise self.error
        mask, depth = self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1)
        return Prediction(mask, depth)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no such channel"),
        RuntimeError("a bug"),
        ZeroDivisionError(),
        AssertionError("so many"),
        SystemExit(0),
        BenchError("of a plug-in"),
        StopIteration(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_model_raises_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(models, "build", lambda key: RaisesInStep(error))
    record, _ = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles(), "mine:Net"))
    assert record.outcome == "failed"
    assert type(error).__name__ in record.reason
    assert "test_failed_runs.py, line" in record.reason
    failure = record.failure
    assert (failure.phase, failure.epoch, failure.step) == ("training", 1, 2)
    assert failure.exception == type(error).__name__
    assert len(failure.samples) == 8
    assert any("in forward" in line for line in failure.traceback)
    assert not any(str(Path.home()) in line or "/" in line.split(":")[0] for line in failure.traceback)
    assert store.read_all(tmp_path / "results")[0][1] == record


def test_an_interruption_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "build", lambda key: RaisesInStep(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        small_runner(tmp_path, Rectangles()).run(small_run(Rectangles(), "mine:Net"))
    assert len(store.read_all(tmp_path / "results")) == 0


@pytest.mark.parametrize(("part", "phase"), [("train", "training"), ("val", "validation")])
def test_a_diverged_run_says_where(tmp_path: Path, part: str, phase: str) -> None:
    source = Rectangles(broken=(part, 3))
    record, _ = small_runner(tmp_path, source).run(small_run(source))
    assert record.outcome == "diverged"
    assert record.failure.phase == phase
    assert 3 in record.failure.samples
    assert record.failure.term == ("depth.l1" if part == "train" else None)


class NaNAtLast(nn.Module):
    """Sound while it trains and is validated, then NaN."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 1)
        self.passes = 0

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        logits = self.conv(torch.cat([bg, bg_fg], 1))
        self.passes += not self.training
        return Prediction(logits[:, :1], logits[:, 1:] * (torch.nan if self.passes > 1 else 1.0))


def test_nan_predictions_are_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "build", lambda key: NaNAtLast())
    record, _ = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles(), "mine:NaNAtLast"))
    assert record.outcome == "diverged"
    assert record.test == {}


build = models.build


def short_of_memory(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")


def in_training(module: nn.Module, inputs: object) -> None:
    if module.training and torch.is_grad_enabled() and len(inputs[0]) == 8:
        short_of_memory()


def starve_backward(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
    if output.requires_grad and len(output) == 8:
        output.register_hook(short_of_memory)


def starving_term(prediction, target):
    if prediction.logits.requires_grad and len(prediction.logits) == 8:
        short_of_memory()
    return (prediction.value - target.value).abs().mean()


def starved(block: str) -> nn.Module:
    """A U-Net that asks for more memory than there is, in a block of its training step."""
    model = build("unet[width=4]")
    if block == "forward/up2":
        model.up[2].register_forward_pre_hook(in_training)
    if block == "backward":
        model.down[1].register_forward_hook(starve_backward)
    if block == "forward":
        model.register_forward_pre_hook(in_training)
    return model


@pytest.mark.parametrize(
    "block",
    [
        "forward",
        "forward/up2",
        "loss/depth.own_oom:starving_term",
        "backward",
        "optimizer",
        "augment",
        "metrics",
    ],
)
def test_short_memory_names_the_block_that_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: str
) -> None:
    monkeypatch.setitem(sys.modules, "own_oom", sys.modules[__name__])
    recipe = "mask: bce, depth: own_oom:starving_term" if block.startswith("loss") else "mask: bce, depth: l1"
    starve = {
        "optimizer": (torch.optim.Adam, "step"),
        "augment": (Augmentation, "__call__"),
        "metrics": (Scores, "update"),
    }
    if block in starve:
        monkeypatch.setattr(*starve[block], short_of_memory)
    elif not block.startswith("loss"):
        monkeypatch.setattr(models, "build", lambda key: starved(block))
    record, _ = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles(), recipe=recipe))
    assert record.outcome == "oom"
    assert record.failure.block == block
    assert record.failure.phase == ("validation" if block == "metrics" else "training")
    assert record.failure.peak_mib >= 0
    assert len(record.failure.samples) == 8
    assert record.failure.traceback
