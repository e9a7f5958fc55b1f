"""What a record says of how its run was computed."""

from pathlib import Path

import pytest

from bench.train import loop
from bench.train.assemble import Run
from bench.train.engines.cuda_graph import Replayed
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner
from tests.bench.tape import Tape


class Uncapturable(Tape):
    """A stand-in graph that refuses."""

    def capture(self, work: object) -> None:
        """Refuse."""
        raise RuntimeError("it looks at values")


def test_steps_that_could_not_be_captured_are_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "run_by", lambda engine, step: setattr(step, "update", Replayed(step, Uncapturable)))
    run = small_run(Rectangles(), train_samples=64)
    graphed = Run.of(run.spec.model_copy(update={"engine": "graphed"}))
    record, _ = small_runner(tmp_path, Rectangles()).run(graphed)
    assert record.facts["engine"] == "eager: it looks at values"


def test_an_engine_as_usual_is_no_fact(tmp_path: Path) -> None:
    record, _ = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles()))
    assert "engine" not in record.facts
