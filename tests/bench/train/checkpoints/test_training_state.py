"""The state of a run: which weights are the best, and when they and a checkpoint are written."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from bench.core.record import Epoch
from bench.data.augment.pipeline import Augmentation
from bench.timing.ledger import Ledger
from bench.train.checkpoints import checkpoint
from bench.train.checkpoints.training_state import EVERY, TrainingState, _copy
from bench.train.step import Step
from bench.train.task_gradients import TaskGradients
from registry.losses import parse
from registry.losses.objective import Objective
from registry.optimizers import optimizers
from registry.schedules import schedules

CPU = torch.device("cpu")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.seconds)
    return now


def begin(folder: Path) -> TrainingState:
    model, objective = nn.Linear(1, 1), Objective(parse("mask: bce"))
    optimizer = optimizers.build("adam")(model.parameters())
    autocast = torch.autocast("cpu", enabled=False)
    schedule = schedules.build("constant")(optimizer, 10)
    step = Step(model, objective, optimizer, schedule, autocast, CPU, Augmentation("none", 0, 8))
    gradients = TaskGradients(model, objective, ("mask",), autocast, steps=10)
    return TrainingState(step, gradients, Ledger(CPU), Ledger(CPU), folder, {"code": "this code"})


def model_of(state: TrainingState) -> nn.Module:
    return state._step.model


def train(state: TrainingState, number: int, loss: float, final: bool = False) -> None:
    """An epoch after which every weight is its number."""
    with torch.no_grad():
        for parameter in model_of(state).parameters():
            parameter.fill_(number)
    losses = {"total": loss, "mask": loss}
    row = Epoch(epoch=number, size=8, learning_rate=0.1, train_loss=losses, val_loss=losses, val_metrics={})
    state.keep(row, final)


def held(state: TrainingState) -> float:
    return float(model_of(state).state_dict()["bias"])


def written(path: Path) -> float | None:
    return float(checkpoint.load(path, CPU)["model"]["bias"]) if path.exists() else None


@pytest.mark.parametrize(
    ("losses", "best"), [((3.0, 1.0, 2.0), 2), ((3.0, 2.0, 1.0), 3), ((1.0, 1.0, 2.0), 2), ((1.0, 2.0, 3.0), 1)]
)
def test_the_best_weights_are_taken_and_written(tmp_path: Path, losses: tuple[float, ...], best: int) -> None:
    state = begin(tmp_path)
    for number, loss in enumerate(losses, 1):
        train(state, number, loss, final=number == len(losses))
    assert not list(tmp_path.iterdir())  # all within a minute
    state.finish()
    assert state.best_epoch == best
    assert held(state) == written(tmp_path / "best.pt") == best
    assert not (tmp_path / "last.pt").exists()


def test_checkpoints_are_no_closer_than_a_minute(tmp_path: Path, clock: SimpleNamespace) -> None:
    state = begin(tmp_path)
    last = []
    for number in range(1, 7):
        clock.seconds += 0.4 * EVERY
        train(state, number, 1 / number, final=number == 6)
        last.append(written(tmp_path / "last.pt"))
    assert last == [None, None, 3, 3, 3, 3]  # nobody goes on from the sixth


def test_it_goes_on_with_the_best_weights_of_before(tmp_path: Path, clock: SimpleNamespace) -> None:
    state = begin(tmp_path)
    for number, loss in enumerate((2.0, 1.0, 3.0), 1):
        clock.seconds += EVERY / 2
        train(state, number, loss)
    assert written(tmp_path / "last.pt") == 2
    (tmp_path / "best.pt").write_bytes(b"of an earlier run")
    later = begin(tmp_path)
    later.resume()
    assert (tmp_path / "best.pt").read_bytes() == b"of an earlier run"  # until this one's are written
    assert (len(later.history), later.best_epoch, later.resumed) == (2, 2, 1)
    train(later, 3, 3.0, final=True)
    later.finish()
    assert held(later) == written(tmp_path / "best.pt") == 2


def test_it_goes_on_with_what_an_optimizer_keeps_once_for_all_parameters(tmp_path: Path) -> None:
    state = begin(tmp_path)
    state._step.optimizer.state["rate seen"] = 0.5  # as torch allows
    train(state, 1, 1.0)
    state.write()
    later = begin(tmp_path)
    assert later.resume() is None
    assert later.resumed == 1 and later._step.optimizer.state["rate seen"] == 0.5


def test_a_copy_holds_every_kind_of_weight_and_none_of_the_memory() -> None:
    weights = {
        "kernel": torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last),
        "half": torch.randn(5, dtype=torch.bfloat16),
        "bias": torch.randn(7),
        "seen": torch.tensor(3),
        "nothing": torch.empty(0),
        "extra": {"words": ["kept"]},
    }
    copied = _copy(weights)
    assert list(copied) == list(weights)
    for name, value in weights.items():
        if isinstance(value, torch.Tensor):
            assert copied[name].dtype == value.dtype and torch.equal(copied[name], value)
            assert copied[name].stride() == value.stride()
            before = copied[name].clone()
            value.zero_()
            assert torch.equal(copied[name], before)
    weights["extra"]["words"].append("changed")
    assert copied["extra"] == {"words": ["kept"]}
