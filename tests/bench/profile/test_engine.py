"""Engines: what they need, what they time, and that a captured step trains as an eager one does."""

import sys
from collections.abc import Callable

import pytest
import torch

from bench.core.errors import BenchError
from bench.profile.interval import Interval
from bench.profile.profile import departure_from_eager, profile
from bench.profile.rounds import WarmUp
from bench.profile.training import StepRunner
from bench.profile.trust import caveats
from bench.timing.hooks import WholePasses
from bench.train.cuda_graph import BEFORE_CAPTURE, GRAPH, Replayed
from bench.train.engine import FIRST_STEPS, engine_named
from registry.contract import Prediction


def test_unknown_engine() -> None:
    with pytest.raises(BenchError, match="eager, compiled, graphed"):
        engine_named("warp", torch.device("cpu"))


def test_compiling_without_a_compiler_is_told(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(BenchError, match=r"install g\+\+"):
        make(engine="compiled")


def test_capturing_without_a_gpu_is_told(make) -> None:
    with pytest.raises(BenchError, match="needs a GPU"):
        make(engine="graphed")


@pytest.fixture
def compiles_to(make, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], StepRunner]:
    """A runner of a compiler that multiplies logits; real compiling takes a minute, and a compiler."""

    def build(factor: float) -> StepRunner:
        def compiled(model: torch.nn.Module) -> Callable[..., Prediction]:
            def run(*images: torch.Tensor) -> Prediction:
                found = model(*images)
                return Prediction(factor * found.mask_logits, factor * found.depth_logits)

            return run

        monkeypatch.setenv("CXX", sys.executable)
        monkeypatch.setattr(torch, "compile", compiled)
        return make(engine="compiled")

    return build


def test_of_a_compiled_model_whole_passes_are_timed(compiles_to) -> None:
    runner = compiles_to(1.0)
    runner.window(instrumented=True)
    expected = {"forward", "loss/mask.bce", "loss/depth.ssim", "backward", "optimizer"}
    assert set(runner.ledger.windows[-1].blocks) >= expected
    assert set(runner.census().counts) >= expected


def test_an_engine_with_eager_numerics_does_not_depart(compiles_to) -> None:
    assert departure_from_eager(compiles_to(1.0)) < 1e-6


def test_an_engine_with_other_numerics_departs_and_is_doubted(compiles_to) -> None:
    departure = departure_from_eager(compiles_to(1.5))
    assert departure > 1e-2
    steady, warm = Interval(value=1.0, low=0.99, high=1.01), WarmUp(windows=3, seconds=1.0, stationary=True)
    assert caveats(0.99, steady, warm, departure=1e-6) == []
    (caveat,) = caveats(0.99, steady, warm, departure=departure)
    assert caveat == f"the losses of the first steps are {departure:.1e} off those of --engine eager"


def test_the_greatest_departure_of_the_first_steps_counts(make, compiles_to) -> None:
    runner = compiles_to(1.5)
    steps = max(FIRST_STEPS.values()) + 4
    losses = zip(compiles_to(1.5).losses(steps), make().losses(steps), strict=True)
    assert departure_from_eager(runner) == pytest.approx(max(abs(a / b - 1) for a, b in losses))


def test_after_a_departure_is_measured_the_trainee_begins_anew(compiles_to) -> None:
    runner, untouched = compiles_to(1.5), compiles_to(1.5)
    departure_from_eager(runner)
    assert runner.losses(3) == untouched.losses(3)


def test_a_profile_tells_of_a_departure(compiles_to) -> None:
    runner = compiles_to(1.5)
    runner.ledger.seconds = 0.0  # windows of a single step
    found, _ = profile(runner, seconds=0.0, restarts=1)
    assert found.engine == "compiled"
    assert found.departure is not None and found.departure > 1e-2
    assert any("off those of --engine eager" in caveat for caveat in found.caveats)


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


def weights(runner: StepRunner) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in runner.model.parameters()])


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
    rates = [runner.optimizer.param_groups[0]["lr"] for runner in (eager, replayed)]
    assert rates[0] == rates[1]
    torch.testing.assert_close(weights(replayed), weights(eager), rtol=1e-5, atol=1e-7)


def test_a_replay_is_one_block(make) -> None:
    runner = make()
    runner._step.update = Replayed(runner._step, Tape())
    runner._passes = WholePasses(runner.ledger)  # as of every engine but eager
    runner.ledger.seconds, runner.ledger.min_steps = 0.0, BEFORE_CAPTURE + 1
    runner.window()
    runner.window(instrumented=True)
    assert list(runner.ledger.windows[-1].blocks) == ["data_wait", "h2d", "augment", GRAPH, "optimizer", "step"]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("engine", ["compiled", "graphed"])
def test_engines_train_as_eager_does_on_a_gpu(make, engine: str) -> None:
    eager, other = make(device="cuda"), make(device="cuda", engine=engine)
    steps = BEFORE_CAPTURE + 5
    assert other.losses(steps) == pytest.approx(eager.losses(steps), rel=1e-4)
