"""Engines: what they need, what they time, and that a captured step trains as an eager one does."""

import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
import torch._dynamo

from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.data.loading.batch import Batch
from bench.profile.engines import departure_from_eager
from bench.profile.profile import profile
from bench.profile.training import StepRunner
from bench.profile.windows.interval import Interval
from bench.profile.windows.rounds import WarmUp
from bench.profile.windows.trust import caveats
from bench.timing.hooks import WholePasses
from bench.train.engines import engine as engine_module
from bench.train.engines.cuda_graph import BEFORE_CAPTURE, GRAPH, Replayed
from bench.train.engines.engine import FIRST_STEPS, engine_by_rule, engine_for, engine_named, refusal
from registry.contract import Prediction
from tests.bench.tape import Tape


def test_unknown_engine() -> None:
    with pytest.raises(BenchError, match="eager, compiled, graphed"):
        engine_named("warp", torch.device("cpu"))


def test_compiling_without_a_compiler_is_told(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(BenchError, match=r"install g\+\+"):
        make(engine="compiled")


CARD = torch.device("cuda", 0)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts programs of these names, and no others, where they are looked for; Triton and Python's headers are there."""
    headers = tmp_path / "include"
    headers.mkdir()
    (headers / "Python.h").touch()
    monkeypatch.setattr("torch.utils._triton.has_triton", lambda: True)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(headers))
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("CC", "CXX"):
        monkeypatch.delenv(variable, raising=False)

    def put(*names: str) -> None:
        for name in names:
            (tmp_path / name).touch(mode=0o755)

    return put


@pytest.mark.parametrize(
    ("name", "device", "taken"),
    [
        ("gcc", CARD, True),
        ("clang", CARD, True),
        ("cc", CARD, False),  # Triton does not look for it
        ("g++", torch.device("cpu"), True),
        ("c++", torch.device("cpu"), False),  # nor does Inductor for this
    ],
)
def test_a_compiler_is_one_that_torch_looks_for(
    programs: Callable[..., None], monkeypatch: pytest.MonkeyPatch, name: str, device: torch.device, taken: bool
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    programs(name)
    if taken:
        assert engine_named("compiled", device) == "compiled"
        return
    with pytest.raises(BenchError, match=r"needs a C.* compiler .*: install g"):
        engine_named("compiled", device)


@pytest.mark.parametrize(("variable", "device"), [("CC", CARD), ("CXX", torch.device("cpu"))])
@pytest.mark.parametrize("value", ["/opt/gone/gcc", ""])
def test_a_compiler_by_name_is_the_only_one(
    programs: Callable[..., None], monkeypatch: pytest.MonkeyPatch, variable: str, device: torch.device, value: str
) -> None:
    programs("gcc", "g++", "ccache")
    monkeypatch.setenv(variable, value)
    with pytest.raises(BenchError, match=f"{variable}='{value}' names no program: .* unset it"):
        engine_named("compiled", device)
    monkeypatch.setenv(variable, "gcc")
    assert engine_named("compiled", device) == "compiled"


def test_a_compiler_behind_another_program(programs: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    programs("g++", "ccache")
    monkeypatch.setenv("CXX", "ccache g++")
    assert engine_named("compiled", torch.device("cpu")) == "compiled"


def test_every_shape_is_compiled_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code for any size is slower; and of many shapes none runs eagerly, as torch would have it from the ninth on."""
    found: list[object] = []

    def keep(graph: torch.fx.GraphModule, inputs: list[object]) -> Callable[..., object]:
        found.extend(size for x in inputs if isinstance(x, torch.Tensor) for size in x.shape)
        graphs.append(graph)
        return graph.forward

    graphs: list[torch.fx.GraphModule] = []
    torch._dynamo.reset()
    before = torch._dynamo.config.recompile_limit
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=keep))
    try:
        compiled = engine_module._compiled(torch.nn.Conv2d(3, 1, 3))
        for size in (*range(4, 14), *range(4, 14)):
            compiled(torch.rand(2, 3, size, size))
        assert len(graphs) == 10
        assert all(isinstance(size, int) for size in found)
    finally:
        torch._dynamo.config.recompile_limit = before
        torch._dynamo.reset()


def test_capturing_without_a_gpu_is_told(make) -> None:
    with pytest.raises(BenchError, match="needs a GPU"):
        make(engine="graphed")


@pytest.fixture
def compiles_to(make, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], StepRunner]:
    """A runner of a compiler that multiplies logits; real compiling takes a minute, and a compiler."""

    def build(factor: float) -> StepRunner:
        def compiled(model: torch.nn.Module, dynamic: bool) -> Callable[..., Prediction]:
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


def test_what_an_optimizer_keeps_once_for_all_parameters_is_counted(make) -> None:
    """As torch allows."""
    runner = make()
    runner.losses(1)
    before = len(runner.state())
    runner.optimizer.state["begun"], runner.optimizer.state["total"] = True, torch.zeros(1)
    assert len(runner.state()) == before + 1


def test_an_engine_with_eager_numerics_does_not_depart(compiles_to) -> None:
    assert departure_from_eager(compiles_to(1.0))[0] < 1e-6


def test_an_engine_with_other_numerics_departs_and_is_doubted(compiles_to) -> None:
    departure, spread = departure_from_eager(compiles_to(1.5))
    assert departure > 1e-2 > 20 * spread > 0
    steady, warm = Interval(value=1.0, low=0.99, high=1.01), WarmUp(windows=3, seconds=1.0, stationary=True)
    assert caveats(0.99, steady, warm, departure=1e-6, rounding_spread=1e-6) == []
    (caveat,) = caveats(0.99, steady, warm, departure=departure, rounding_spread=spread)
    assert caveat.startswith(f"the losses of the first steps are {departure:.1e} off those of --engine eager")


def test_named_blocks_beyond_the_whole_step_are_doubted() -> None:
    steady, warm = Interval(value=1.0, low=0.99, high=1.01), WarmUp(windows=3, seconds=1.0, stationary=True)
    assert caveats(1.01, steady, warm) == []
    (caveat,) = caveats(1.04, steady, warm)
    assert "104.0% of the step: some time was counted twice" in caveat


def test_the_greatest_departure_of_the_first_steps_counts(make, compiles_to) -> None:
    runner = compiles_to(1.5)
    steps = max(FIRST_STEPS.values()) + 4
    losses = zip(compiles_to(1.5).losses(steps), make().losses(steps), strict=True)
    assert departure_from_eager(runner)[0] == pytest.approx(max(abs(a / b - 1) for a, b in losses))


def test_after_a_departure_is_measured_the_runner_begins_anew(compiles_to) -> None:
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


def weights(runner: StepRunner) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in runner.model.parameters()])


@pytest.mark.parametrize("optimizer", ["adam[lr=0.003]", "sgd[lr=0.1]"])
def test_a_replayed_step_trains_as_an_eager_one(make, optimizer: str) -> None:
    """Inputs, learning rates of a moving schedule, and what is left eager: all reach the recorded work."""
    eager, replayed = make(optimizer=optimizer), make(optimizer=optimizer)
    tape = Tape()
    replayed._step.update = Replayed(replayed._step, lambda: tape)
    for _ in range(BEFORE_CAPTURE + 4):
        expected, found = (runner.step(*next(runner.batches)) for runner in (eager, replayed))
        assert not found.total.requires_grad  # a captured graph of autograd would be walked by nobody
        for name, value in {"total": expected.total, **expected.terms, **expected.heads}.items():
            torch.testing.assert_close(
                {"total": found.total, **found.terms, **found.heads}[name], value.detach(), rtol=1e-5, atol=1e-7
            )
    assert tape.replays == 4
    rates = [runner.optimizer.param_groups[0]["lr"] for runner in (eager, replayed)]
    assert rates[0] == rates[1]
    torch.testing.assert_close(weights(replayed), weights(eager), rtol=1e-5, atol=1e-7)


def test_a_replay_is_one_block(make) -> None:
    runner = make()
    runner._step.update = Replayed(runner._step, Tape)
    runner._passes = WholePasses(runner.ledger)  # as of every engine but eager
    runner.ledger.seconds, runner.ledger.min_steps = 0.0, BEFORE_CAPTURE + 1
    runner.window()
    runner.window(instrumented=True)
    assert list(runner.ledger.windows[-1].blocks) == ["data_wait", "h2d", "augment", GRAPH, "optimizer", "step"]


def test_losses_of_a_replay_outlive_the_next(make) -> None:
    runner = make()
    runner._step.update = Replayed(runner._step, Tape)
    runner.losses(BEFORE_CAPTURE)
    first = runner.step(*next(runner.batches)).total
    value = float(first)
    runner.step(*next(runner.batches))
    assert float(first) == value


def test_another_shape_is_recorded_anew(make) -> None:
    runner, tapes = make(batch=4), []

    def tape() -> Tape:
        tapes.append(Tape())
        return tapes[-1]

    runner._step.update = Replayed(runner._step, tape)
    runner.losses(BEFORE_CAPTURE + 2)
    epoch, batch = next(runner.batches)
    fewer = Batch(batch.ids[:2], batch.device_ids[:2], batch.quartet.map(lambda tensor: tensor[:2]))
    for _ in range(BEFORE_CAPTURE + 1):
        runner.step(epoch, fewer)
    assert [tape.replays for tape in tapes] == [2, 1]


class Refusing(Tape):
    """What a capture does with a model that waits for the device."""

    def capture(self, work):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")


class Waiting(Tape):
    """What a rehearsal finds in a model that waits for the device."""

    def rehearse(self, work):
        return work(), "it waits for the device"

    def capture(self, work):
        raise AssertionError("a capture may be left half done: what is known to fail is not tried")


def test_what_is_known_to_wait_is_not_captured(make) -> None:
    eager, waiting = make(), make()
    waiting._step.update = Replayed(waiting._step, Waiting)
    assert waiting.losses(BEFORE_CAPTURE + 3) == eager.losses(BEFORE_CAPTURE + 3)
    assert refusal(waiting._step) == "it waits for the device"


def test_what_cannot_be_captured_trains_on_eagerly_and_says_why(make) -> None:
    eager, refused = make(), make()
    refused._step.update = Replayed(refused._step, Refusing)
    assert refused.losses(BEFORE_CAPTURE + 3) == eager.losses(BEFORE_CAPTURE + 3)
    assert refusal(refused._step) == "operation not permitted when stream is capturing"
    assert refused._step.update._recording is None  # a graph half recorded holds the memory of a whole step
    assert refusal(eager._step) is None


@pytest.mark.parametrize(
    ("device", "gmacs", "batch", "expected"),
    [
        ("cuda", 1.0, 32, "graphed"),
        ("cuda", 40.0, 32, "eager"),  # busy for so long that launching costs nothing
        ("cuda", None, 32, "eager"),  # looks at values
        ("cpu", 1.0, 32, "eager"),
    ],
)
def test_the_rule_goes_by_facts(device: str, gmacs: float | None, batch: int, expected: str) -> None:
    assert engine_by_rule("auto", torch.device(device), gmacs, batch) == expected
    assert engine_by_rule("eager", torch.device(device), gmacs, batch) == "eager"


def test_compiling_without_the_headers_of_python_is_told(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", sys.executable)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: "/nowhere")
    with pytest.raises(BenchError, match=r"/nowhere/Python\.h"):
        make(engine="compiled")


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_model_that_waits_for_the_device_trains_on_eagerly_on_a_gpu(make) -> None:
    runner = make(device="cuda", engine="graphed")
    runner.model.register_forward_pre_hook(lambda _model, images: None if float(images[0].sum()) else images)
    eager = make(device="cuda").losses(BEFORE_CAPTURE + 3)
    assert runner.losses(BEFORE_CAPTURE + 3) == pytest.approx(eager, rel=1e-2)
    assert refusal(runner._step) == "it waits for the device"
    assert torch.rand(2, device="cuda").isfinite().all()  # the generator is not left in the middle of a capture


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("engine", ["compiled", "graphed"])
def test_engines_train_as_eager_does_on_a_gpu(make, engine: str) -> None:
    departure, spread = departure_from_eager(make(device="cuda", engine=engine))
    assert departure <= 5 * spread


def test_of_several_stages_the_one_with_least_to_do_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = find_protocol("standard")
    cuda = torch.device("cuda", 0)
    counted = {64: 7.0, 112: 20.0, 192: 60.0}  # 896, 1,280 and 1,920 a batch
    monkeypatch.setattr(engine_module, "gmacs", lambda net, size: counted[size])
    assert engine_for("auto", cuda, "unet[width=4]", protocol) == "graphed"
    monkeypatch.setattr(engine_module, "gmacs", lambda net, size: 2 * counted[size])
    assert engine_for("auto", cuda, "unet[width=5]", protocol) == "eager"
    monkeypatch.setattr(engine_module, "gmacs", lambda net, size: None)
    assert engine_for("auto", cuda, "unet[width=6]", protocol) == "eager"
    assert engine_for("auto", torch.device("cpu"), "unet", protocol) == "eager"
