"""The loop with captured steps, by a stand-in graph: the same training as eagerly, and blocks from eager windows."""

from pathlib import Path

import pytest
import torch

from bench.timing.ledger import Ledger
from bench.train import loop
from bench.train.checkpoints import training_state
from bench.train.engines.cuda_graph import Replayed
from bench.train.engines.room import Room
from bench.train.events import Listener
from bench.train.loop import Diverged
from bench.train.step import Step
from tests.bench.rectangles import Rectangles
from tests.bench.tape import Tape
from tests.bench.train import runs
from tests.bench.train.runs import StopAfter, run, spec, weights


@pytest.fixture
def tapes(monkeypatch: pytest.MonkeyPatch) -> list[Tape]:
    """All graphs that were recorded; a step that is to be captured gets a stand-in."""
    made: list[Tape] = []

    def record() -> Tape:
        made.append(Tape())
        return made[-1]

    def run_by(engine: str, step: Step) -> None:
        if engine == "graphed":
            step.update = Replayed(step, record)

    monkeypatch.setattr(loop, "run_by", run_by)
    return made


def graphed(run_spec):
    return run_spec.model_copy(update={"engine": "graphed"})


def staged(source: Rectangles, **changes):
    run_spec = spec(source, **changes)
    stages = [{"size": 16, "batch": 8, "epochs": 1}, {"size": 32, "batch": 8, "epochs": 1}]
    protocol = run_spec.protocol.override(stages=stages, train_samples=128)
    return run_spec.model_copy(update={"protocol": protocol})


def test_it_trains_as_eagerly_with_a_graph_a_stage(tmp_path: Path, tapes: list[Tape]) -> None:
    source = Rectangles()
    eager = run(staged(source), source, tmp_path / "eager")
    assert tapes == []
    captured = run(graphed(staged(source)), source, tmp_path / "graphed")
    assert len(tapes) == 2 and all(tape.replays > 0 for tape in tapes)
    assert sum(tape.replays for tape in tapes) < 2 * 16  # first steps, and windows whose blocks are timed
    for a, b in zip(weights(eager), weights(captured), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    for expected, found in zip(eager.history, captured.history, strict=True):
        assert found.train_loss == pytest.approx(expected.train_loss, rel=1e-4)


def test_it_resumes_as_it_would_have_gone_on(
    tmp_path: Path, tapes: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_state, "EVERY", 0.0)
    source = Rectangles()
    whole = run(graphed(staged(source)), source, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(graphed(staged(source)), source, tmp_path / "cut", StopAfter(1))
    resumed = run(graphed(staged(source)), source, tmp_path / "cut")
    for a, b in zip(weights(whole), weights(resumed), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_divergence_names_the_batch(tmp_path: Path, tapes: list[Tape]) -> None:
    source = Rectangles(broken=("train", 17))
    with pytest.raises(Diverged) as caught:
        run(graphed(spec(source, train_samples=128)), source, tmp_path)
    assert 17 in caught.value.ids.tolist()


class Refusing(Tape):
    def capture(self, work):
        raise RuntimeError("it looks at values")


@pytest.mark.parametrize(("engine", "how"), [("graphed", "eagerly"), ("compiled", "compiled outside a graph")])
def test_what_cannot_be_captured_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, how: str
) -> None:
    monkeypatch.setattr(loop, "run_by", lambda engine, step: setattr(step, "update", Replayed(step, Refusing)))
    heard: list[str] = []

    class Hears(Listener):
        def notice(self, words: str) -> None:
            heard.append(words)

    source = Rectangles()
    run(spec(source).model_copy(update={"engine": engine}), source, tmp_path, Hears())
    assert heard == [f"a step of unet[width=4] cannot be captured and runs {how}: it looks at values"]


def test_windows_of_two_engines_say_nothing_of_what_measuring_costs() -> None:
    ledger = Ledger(torch.device("cpu"), seconds=0, min_steps=1, plain_engine="graphed")
    for _ in ledger.steps(range(6), images=1):
        with ledger("forward"):
            pass
    assert [window.engine for window in ledger.windows] == ["graphed", "eager", *["graphed"] * 4]
    found = ledger.timings()
    assert found.perturbation is None and found.closure is not None
    assert "forward" in found.blocks


@pytest.mark.parametrize("free", [2**20, 2**40])
def test_blocks_are_timed_where_there_is_room_for_it(
    tmp_path: Path, tapes: list[Tape], monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    """A batch that just fits would run out of memory in the first eager step beside its graph."""
    monkeypatch.setattr(Tape, "room", lambda self: Room(2**30, free))
    heard: list[str] = []

    class Hears(Listener):
        def notice(self, words: str) -> None:
            heard.append(words)

    ledgers: list[Ledger] = []

    def made(device: torch.device, seconds: float = 0.5) -> Ledger:
        ledgers.append(Ledger(device, seconds))
        return ledgers[-1]

    monkeypatch.setattr(runs, "Ledger", made)
    source = Rectangles()
    run(graphed(staged(source)), source, tmp_path, Hears())
    ledger = ledgers[0]  # of training
    engines = {window.engine for window in ledger.windows}
    assert all(tape.replays for tape in tapes)
    if free > 2**30:
        assert engines == {"graphed", "eager"} and heard == [] and ledger.untimed is None
        return
    assert engines == {"graphed"}
    why = "a step outside the CUDA graph takes 1024 MiB beside it, and 1 MiB are free"
    assert heard == [f"blocks of unet[width=4], seed 0, are not timed: {why}"]
    assert ledger.untimed == why
