"""Engines: what they need, what they time, and that a captured step trains as an eager one does."""

import pytest
import torch

from bench.errors import BenchError
from bench.profile.engine import engine_named
from bench.profile.graph import BEFORE_CAPTURE, GRAPH, Replayed
from bench.profile.trainee import Trainee
from bench.timing.hooks import WholePasses


def test_unknown_engine() -> None:
    with pytest.raises(BenchError, match="eager, compiled, graphed"):
        engine_named("warp")


def test_compiling_without_a_compiler_is_told(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(BenchError, match=r"install g\+\+"):
        make(engine="compiled")


def test_capturing_without_a_gpu_is_told(make) -> None:
    with pytest.raises(BenchError, match="needs a GPU"):
        make(engine="graphed")


def test_of_a_compiled_model_whole_passes_are_timed(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda model: lambda *images: model(*images))  # a minute saved
    one = make(engine="compiled")
    one.window(instrumented=True)
    expected = {"forward", "loss/mask.bce", "loss/depth.ssim", "backward", "optimizer"}
    assert set(one.ledger.windows[-1].blocks) >= expected
    assert set(one.census().counts) >= expected


class Tape:
    """A recording that keeps the work instead of its kernels; a replay works on the very same tensors."""

    def __init__(self) -> None:
        self.replays = 0

    def aside(self, work):
        return work()

    def capture(self, work):
        self.work = work
        return None

    def replay(self) -> None:
        self.replays += 1
        self.work()


def weights(one: Trainee) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in one.model.parameters()])


@pytest.mark.parametrize("optimizer", ["adam[lr=0.003]", "sgd[lr=0.1]"])
def test_a_replayed_step_trains_as_an_eager_one(make, optimizer: str) -> None:
    """Inputs, learning rates of a moving schedule, and what is left eager: all reach the recorded work."""
    eager, replayed = make(optimizer=optimizer), make(optimizer=optimizer)
    tape = Tape()
    replayed._step.update = Replayed(replayed._step, tape)
    for _ in range(BEFORE_CAPTURE + 4):
        eager.step(*next(eager.batches))
        replayed.step(*next(replayed.batches))
    assert tape.replays == 4
    rates = [one.optimizer.param_groups[0]["lr"] for one in (eager, replayed)]
    assert rates[0] == rates[1]
    torch.testing.assert_close(weights(replayed), weights(eager), rtol=1e-5, atol=1e-7)


def test_a_replay_is_one_block(make) -> None:
    one = make()
    one._step.update = Replayed(one._step, Tape())
    one._passes = WholePasses(one.ledger)  # as of every engine but eager
    one.ledger.seconds, one.ledger.min_steps = 0.0, BEFORE_CAPTURE + 1
    one.window()
    one.window(instrumented=True)
    assert list(one.ledger.windows[-1].blocks) == ["data_wait", "h2d", "augment", GRAPH, "optimizer", "step"]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("engine", ["compiled", "graphed"])
def test_engines_train_as_eager_does_on_a_gpu(make, engine: str) -> None:
    eager, other = make(device="cuda"), make(device="cuda", engine=engine)
    steps = BEFORE_CAPTURE + 5
    assert other.losses(steps) == pytest.approx(eager.losses(steps), rel=1e-4)
