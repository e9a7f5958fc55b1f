"""The runner: however a run ends it is recorded, what it leaves is its own, and decoration ends nothing."""

import errno
import fcntl
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.report.listeners.prediction_picture import PredictionPicture
from bench.report.listeners.tensorboard import TensorBoard
from bench.report.pictures.predictions import prediction_picture
from bench.results import store
from bench.run import folder as run_folder
from bench.run.runner import Runner, load_of
from bench.timing.window import Window
from bench.train.assemble import Run
from bench.train.checks.compatibility import check_sizes
from bench.train.events import Decoration, Listener, Listeners
from registry.contract import Prediction, Quartet
from registry.models import models
from tests.bench.rectangles import Rectangles

CPU = torch.device("cpu")
SMALL = {"size": 32, "batch": 8, "epochs": 1, "train_samples": 16, "val_samples": 8, "test_samples": 8}


def made(source: Rectangles, model: str = "unet[width=4]", recipe: str = "mask: bce, depth: l1", **changes) -> Run:
    protocol = find_protocol("quick").override(**{**SMALL, **changes})
    return Run.of(RunSpec(model=model, recipe=recipe, protocol=protocol, data=source.describe()))


def runner(folder: Path, source: Rectangles, listener: Listener | None = None) -> Runner:
    return Runner(source, CPU, folder / "runs", folder / "results", listener or Listener())


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

    monkeypatch.setattr("bench.run.runner.train", train)
    record, path = runner(tmp_path, Rectangles()).run(made(Rectangles()))
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
    monkeypatch.setattr("registry.models.models.build", lambda key: RaisesInStep(error))
    record, _ = runner(tmp_path, Rectangles()).run(made(Rectangles(), "mine:Net"))
    assert record.outcome == "failed"
    assert type(error).__name__ in record.reason
    assert "test_runner.py, line" in record.reason
    failure = record.failure
    assert (failure.phase, failure.epoch, failure.step) == ("training", 1, 2)
    assert failure.exception == type(error).__name__
    assert len(failure.samples) == 8
    assert any("in forward" in line for line in failure.traceback)
    assert not any(str(Path.home()) in line or "/" in line.split(":")[0] for line in failure.traceback)
    assert store.read_all(tmp_path / "results")[0][1] == record


def test_an_interruption_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.models.models.build", lambda key: RaisesInStep(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        runner(tmp_path, Rectangles()).run(made(Rectangles(), "mine:Net"))
    assert len(store.read_all(tmp_path / "results")) == 0


@pytest.mark.parametrize(("part", "phase"), [("train", "training"), ("val", "validation")])
def test_a_diverged_run_says_where(tmp_path: Path, part: str, phase: str) -> None:
    source = Rectangles(broken=(part, 3))
    record, _ = runner(tmp_path, source).run(made(source))
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
    monkeypatch.setattr("registry.models.models.build", lambda key: NaNAtLast())
    record, _ = runner(tmp_path, Rectangles()).run(made(Rectangles(), "mine:NaNAtLast"))
    assert record.outcome == "diverged"
    assert record.test == {}


def test_one_run_has_one_maker(tmp_path: Path) -> None:
    run = made(Rectangles())
    with run_folder.locked(tmp_path / "runs" / run.spec.id), pytest.raises(BenchError, match="another process"):
        runner(tmp_path, Rectangles()).run(run)
    assert runner(tmp_path, Rectangles()).run(run)[0].outcome == "finished"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def flock(*_: object) -> None:
        raise OSError(code, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(BenchError, match=r"has no locks: .* --runs"):
        runner(tmp_path, Rectangles()).run(made(Rectangles()))


@pytest.mark.parametrize(("recipe", "columns"), [("mask: bce, depth: l1", 6), ("mask: bce", 5), ("depth: l1", 5)])
def test_a_head_that_nothing_trains_is_not_drawn(tmp_path: Path, recipe: str, columns: int) -> None:
    record, _ = runner(tmp_path, Rectangles(), PredictionPicture()).run(made(Rectangles(), recipe=recipe))
    with Image.open(tmp_path / "runs" / record.id / "predictions.png") as picture:
        assert picture.width == 132 * columns + 4  # bg, bg_fg, mask, depth, and what was predicted


class Full(Listener):
    """As if the disk were full; or anything else that drawing may raise."""

    def __init__(self, what: str) -> None:
        self.what = what

    def started(self, *_: object) -> None:
        self._raise("started")

    def window(self, *_: object) -> None:
        self._raise("window")

    def epoch(self, *_: object) -> None:
        self._raise("epoch")

    def finished(self, *_: object) -> None:
        self._raise("finished")

    def _raise(self, what: str) -> None:
        if what == self.what:
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("what", ["started", "window", "epoch", "finished"])
def test_decoration_that_fails_is_a_warning(tmp_path: Path, what: str) -> None:
    notices: list[str] = []
    listener = Listeners([Decoration(Full(what), "picture", notices.append)])
    record, path = runner(tmp_path, Rectangles(), listener).run(made(Rectangles()))
    assert record.outcome == "finished"
    assert store.read(path) == record
    assert notices == ["warning: no picture of this run: [Errno 28] No space left on device"]


def test_the_record_is_written_before_anybody_is_told(tmp_path: Path) -> None:
    class Look(Listener):
        def finished(self, record, folder, preview) -> None:
            assert [kept for _, kept in store.read_all(tmp_path / "results")] == [record]
            assert not (folder / "last.pt").exists()
            quartet, prediction = preview(3)
            assert len(quartet) == len(prediction.mask.value) == 3
            self.looked = True

    look = Look()
    runner(tmp_path, Rectangles(), look).run(made(Rectangles()))
    assert look.looked


def test_a_kill_leaves_nothing_for_good(tmp_path: Path) -> None:
    run = made(Rectangles())
    folder = tmp_path / "runs" / run.spec.id
    folder.mkdir(parents=True)
    (folder / "last.part").write_bytes(b"half")
    runner(tmp_path, Rectangles()).run(run)
    assert {path.name for path in folder.iterdir()} == {"best.pt", "spec.json", "lock"}
    assert json.loads((folder / "spec.json").read_text())["model"] == run.spec.model


def test_events_of_before_stay_until_the_next_run_is_over(tmp_path: Path) -> None:
    run, source = made(Rectangles()), Rectangles()
    folder = tmp_path / "runs" / run.spec.id
    runner(tmp_path, source, TensorBoard()).run(run)
    before = {path.name for path in (folder / "tensorboard").iterdir()}

    class Look(Listener):
        def epoch(self, epoch) -> None:
            assert {path.name for path in (folder / "tensorboard.before").iterdir()} == before

    runner(tmp_path, source, Listeners([TensorBoard(), Look()])).run(run)
    assert not (folder / "tensorboard.before").exists()


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
    monkeypatch.setattr("registry.models.models.build", lambda key: Odd(way))
    run = made(Rectangles(), "mine:Odd", train_samples=32)

    def weights(folder: Path) -> list[torch.Tensor]:
        record, _ = runner(folder, Rectangles(), PredictionPicture()).run(run)
        assert record.outcome == "finished", record.reason
        assert (record.gmacs is None) == ("gmacs" in record.facts)
        return [*torch.load(folder / "runs" / run.spec.id / "best.pt", weights_only=True)["model"].values()]

    measured = weights(tmp_path / "measured")
    monkeypatch.setattr("bench.train.task_gradients.TaskGradients.__call__", lambda self, step, quartet: None)
    assert all(map(torch.equal, measured, weights(tmp_path / "alone")))


def window(others: float | None, disturbed: str | None) -> Window:
    return Window(4, 32, 0.5, None, others=others, disturbed=disturbed)


def test_the_load_of_the_machine_is_recorded(tmp_path: Path) -> None:
    assert load_of([]) is None
    load = load_of([window(0.1, None), window(0.5, "load of other processes"), window(0.2, None)])
    assert (load.windows, load.disturbed, load.others, load.marked) == (3, 1, 0.2, False)
    assert load_of([window(0.5, "steal")]).marked
    assert load_of([window(None, None)]).unknown is not None
    record, _ = runner(tmp_path, Rectangles()).run(made(Rectangles()))
    assert record.load.windows > 0
    assert record.arithmetic is not None
    assert record.peak_of in ("growth", "process")


def test_a_picture_needs_no_known_depth() -> None:
    images, flat = torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16)
    picture = prediction_picture(Quartet(images, images, flat, flat, flat), Prediction(flat, flat))
    assert picture.width > picture.height


def test_sizes_name_a_multiple() -> None:
    model = nn.Module()
    model.stride = 32
    protocol = find_protocol("standard")
    with pytest.raises(BenchError, match=r"multiples of 32, not 112 .* --size 192"):
        check_sizes(RunSpec(model="m", recipe="mask: bce", protocol=protocol, data={}), model)


class Noted(Rectangles):
    """A source that decided something by itself and doubts something."""

    notes = ("numbered files are one group",)
    warnings = ("depth is likely in another unit",)


def test_what_model_and_data_say_of_themselves_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def noted(key: str) -> nn.Module:
        model = find_model("unet[width=4]")
        model.notes = ("encoder weights come from elsewhere",)
        return model

    find_model = models.build
    monkeypatch.setattr("registry.models.models.build", noted)
    source = Noted()
    record, _ = runner(tmp_path, source).run(made(source))
    assert record.facts == {
        "model": ["encoder weights come from elsewhere"],
        "data": {"notes": list(Noted.notes), "warnings": list(Noted.warnings)},
    }
    monkeypatch.undo()
    assert runner(tmp_path, Rectangles()).run(made(Rectangles()))[0].facts == {}
