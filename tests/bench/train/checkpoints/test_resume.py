"""A run that was stopped, anywhere, ends as one that was not; what cannot be gone on from is named and kept aside."""

import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bench.core.errors import Interrupted
from bench.core.interruption import Interruption
from bench.train import loop
from bench.train.checkpoints import checkpoint, training_state
from bench.train.events import Listener, WindowSummary
from bench.train.loop import TrainingResult
from registry.contract import Prediction
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.train.runs import StopAfter, run, same, spec

CPU = torch.device("cpu")
STEPS = 6  # an epoch


class Signals(Listener):
    """Gets a signal when so many steps are done, as the loop would."""

    def __init__(self, step: int, number: int = signal.SIGTERM) -> None:
        self.step, self.number, self.interruption = step, number, Interruption()
        self.notices: list[str] = []

    def window(self, summary: WindowSummary) -> None:
        if summary.step >= self.step > 0 and not self.interruption.requested:
            self.interruption.handle(self.number)

    def notice(self, words: str) -> None:
        self.notices.append(words)


def stop(folder: Path, step: int, number: int = signal.SIGTERM, **changes) -> Interrupted:
    source, listener = Rectangles(), Signals(step, number)
    with pytest.raises(Interrupted) as caught:
        run(spec(source, **changes), source, folder, listener, interruption=listener.interruption)
    return caught.value


@pytest.mark.parametrize("model", ["unet[width=4]", "twin_unet[width=4]"])  # the second draws dropout
def test_stopped_within_an_epoch_it_ends_bit_identical(tmp_path: Path, model: str) -> None:
    source = Rectangles()
    whole = run(spec(source, model), source, tmp_path / "whole")
    for step in (4, 8):
        stop(tmp_path / "cut", step, model=model)
        state = checkpoint.load(tmp_path / "cut" / "last.pt", CPU)
        assert 0 <= state["done"] < STEPS
        assert len(state["history"]) * STEPS + state["done"] >= step
    resumed = run(spec(source, model), source, tmp_path / "cut")
    assert resumed.resumed == 2
    assert resumed.history == whole.history
    assert same(resumed, whole)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_finishes_the_step_and_says_how_to_go_on(tmp_path: Path, number: int, status: int) -> None:
    stopped = stop(tmp_path, 4, number)
    assert stopped.exit_code == status
    assert "epoch 1, step" in str(stopped)
    assert "same command goes on" in str(stopped)


def test_a_second_signal_leaves_at_once() -> None:
    interruption = Interruption()
    with interruption.deferred():
        interruption.handle(signal.SIGINT)
        with pytest.raises(Interrupted) as caught:
            interruption.handle(signal.SIGINT)
    assert caught.value.exit_code == 130


def test_outside_of_training_the_first_signal_leaves() -> None:
    with pytest.raises(Interrupted) as caught:
        Interruption().handle(signal.SIGTERM)
    assert caught.value.exit_code == 143


def test_checkpoints_within_an_epoch_when_the_last_is_long_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: TrainingResult
) -> None:
    monkeypatch.setattr(training_state, "WITHIN", 0.0)
    source = Rectangles()

    class KilledAt(Listener):
        def window(self, summary: WindowSummary) -> None:
            if summary.step == STEPS:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(spec(source), source, tmp_path / "cut", KilledAt())
    assert checkpoint.load(tmp_path / "cut" / "last.pt", CPU)["done"] > 0
    assert same(run(spec(source), source, tmp_path / "cut"), whole)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """Of a run that was not stopped."""
    source = Rectangles()
    return run(spec(source), source, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one that was stopped in its second epoch: to be copied."""
    folder = tmp_path_factory.mktemp("cut")
    stop(folder, 8)
    return folder


def rewritten(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        state = checkpoint.load(path, CPU)
        torch.save(change(state), path)

    return damage


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def without(name: str) -> Callable[[dict], object]:
    return lambda state: {key: value for key, value in state.items() if key != name}


def of_another_shape(state: dict) -> dict:
    return {**state, "model": {name: tensor.reshape(-1)[:1] for name, tensor in state["model"].items()}}


def moments_of_another_shape(state: dict) -> dict:
    rows = {
        n: {k: v[..., None] if v.dim() else v for k, v in row.items()} for n, row in state["optimizer"]["state"].items()
    }
    return {**state, "optimizer": {**state["optimizer"], "state": rows}}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a checkpoint"),
        lambda path: path.write_bytes(path.read_bytes()[:-2000]),
        flipped,
        lambda path: torch.save([1, 2], path),
        lambda path: torch.save({"model": Path("code")}, path),
        rewritten(without("model")),
        rewritten(without("random")),
        rewritten(without("maker")),
        rewritten(lambda state: {**state, "history": [{"epoch": "one"}]}),
        rewritten(of_another_shape),
        rewritten(moments_of_another_shape),
    ],
    ids=[
        "empty",
        "words",
        "truncated",
        "bit",
        "list",
        "code",
        "model",
        "random",
        "maker",
        "history",
        "shape",
        "moments",
    ],
)
def test_a_damaged_checkpoint_is_set_aside_and_training_starts_anew(
    tmp_path: Path, whole: TrainingResult, cut: Path, damage
) -> None:
    source = Rectangles()
    shutil.copytree(cut, tmp_path / "cut")
    damage(tmp_path / "cut" / "last.pt")
    listener = Signals(-1)
    anew = run(spec(source), source, tmp_path / "cut", listener)
    assert "training starts anew" in "".join(listener.notices)
    assert (tmp_path / "cut" / "last.pt.damaged").exists()
    assert anew.resumed == 0
    assert same(anew, whole)


def test_what_other_code_left_is_not_gone_on_from_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: Path
) -> None:
    source = Rectangles()
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    written = (tmp_path / "last.pt").read_bytes()
    monkeypatch.setattr(loop, "code_version", lambda *names: "another")
    listener = Signals(-1)
    assert run(spec(source), source, tmp_path, listener).resumed == 0
    assert listener.notices == [
        "unet[width=4], seed 0: the checkpoint is of other code: training starts anew; it is kept as last.pt.other "
        "until the run is over, and --resume-anyway goes on from it"
    ]
    assert (tmp_path / "last.pt.other").read_bytes() == written


@pytest.mark.parametrize("aside", [False, True], ids=["as it is", "kept aside"])
def test_a_checkpoint_of_other_code_is_gone_on_from_when_insisted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: TrainingResult, cut: Path, aside: bool
) -> None:
    source = Rectangles()
    shutil.copytree(cut, tmp_path / "cut")
    mine = checkpoint.load(tmp_path / "cut" / "last.pt", CPU)["maker"]["code"]
    if aside:
        (tmp_path / "cut" / "last.pt").rename(tmp_path / "cut" / "last.pt.other")
    monkeypatch.setattr(loop, "code_version", lambda *names: "another")
    listener = Signals(-1)
    resumed = run(spec(source), source, tmp_path / "cut", listener, resume_anyway=True)
    assert resumed.resumed == 1
    assert resumed.others == {"code": mine}
    assert same(resumed, whole)
    assert listener.notices == ["unet[width=4], seed 0: goes on from a checkpoint of other code, as requested"]


def test_insisting_changes_nothing_where_the_checkpoint_is_our_own(tmp_path: Path, cut: Path) -> None:
    source, listener = Rectangles(), Signals(-1)
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    resumed = run(spec(source), source, tmp_path, listener, resume_anyway=True)
    assert (resumed.resumed, resumed.others, listener.notices) == (1, {}, [])


def test_a_number_of_threads_that_changes_no_bits_discards_nothing(tmp_path: Path, cut: Path) -> None:
    source = Rectangles()
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before)  # as a later process might: the arithmetic is asked, not the number
        assert run(spec(source), source, tmp_path).resumed == 1
    finally:
        torch.set_num_threads(before)


def test_the_best_weights_of_before_stay_until_better_ones_are_whole(tmp_path: Path) -> None:
    source = Rectangles()
    run(spec(source), source, tmp_path)
    before = (tmp_path / "best.pt").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run(spec(source, epochs=3), source, tmp_path, StopAfter(0))
    assert (tmp_path / "best.pt").read_bytes() == before


class Random(nn.Module):
    """Draws from all three global generators, when it is built and when it is called."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 1)
        with torch.no_grad():
            self.conv.weight += torch.from_numpy(np.random.randn(2, 6, 1, 1)).float() + random.random()

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        noise = random.random() + float(np.random.rand()) + torch.rand(1) if self.training else 0.0
        mask, depth = (self.conv(torch.cat([bg, bg_fg], 1)) + noise).split(1, 1)
        return Prediction(mask, depth)


def test_what_plugins_draw_from_numpy_and_random_is_seeded_saved_and_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "build", lambda key: Random())
    source = Rectangles()
    whole = run(spec(source), source, tmp_path / "whole")
    np.random.seed(7)
    random.seed(7)
    assert same(run(spec(source), source, tmp_path / "again"), whole)
    stop(tmp_path / "cut", 8)
    np.random.seed(8)
    random.seed(8)
    assert same(run(spec(source), source, tmp_path / "cut"), whole)
