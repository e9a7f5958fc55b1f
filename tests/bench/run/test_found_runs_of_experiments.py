"""What an experiment does with runs that are recorded: taken, shown where a kill kept them from it, or made anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.core.protocol import find_protocol
from bench.core.record import Record
from bench.results import store
from bench.run.experiment import Experiment
from bench.run.runner import Runner
from bench.train.assemble import Run
from bench.train.events import Listener
from tests.bench.records import record
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import SMALL

Calls = list[tuple[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Calls of the runner, which makes records without a run."""
    made: Calls = []

    def run(runner: Runner, wanted: Run, audit: object = (), unless: Callable[[], Any] = lambda: None) -> Any:
        made.append(("run", wanted.spec.model))
        done = record(wanted.spec.model, recipe="").model_copy(update={"spec": wanted.spec, "id": wanted.spec.id})
        return done, store.write(runner.results, done, {})

    monkeypatch.setattr(Runner, "run", run)
    monkeypatch.setattr(Runner, "show_again", lambda runner, wanted, found: made.append(("shown", found.id)))
    return made


def experiment(folder: Path, **more: Any) -> Experiment:
    """Of baselines alone, which are neither tried nor audited."""
    return Experiment(
        models=["constant"],
        loss="mask: bce, depth: l1",
        protocol=find_protocol("quick").override(**SMALL),
        seeds=range(2),
        source=Rectangles(),
        results=folder / "results",
        runs=folder / "runs",
        baselines=False,
        **more,
    )


def results(made: Experiment) -> tuple[list[tuple[Record, Path, bool]], list[str]]:
    said: list[str] = []
    return list(made.run(Listener(), said.append)), said


def test_what_is_not_recorded_is_made(tmp_path: Path, calls: Calls) -> None:
    ((done, path, made),), said = results(experiment(tmp_path))
    assert calls == [("run", "constant")] and made and path.exists()
    assert said == [f"constant, seed 0 ({done.id})"], "a baseline is made once, whatever the seeds"


def test_what_is_recorded_is_taken_and_shown_if_a_kill_kept_it_from_that(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = record("constant", recipe=""), tmp_path / "x.json"
    monkeypatch.setattr(Experiment, "_found", lambda *_: found)
    done, said = results(experiment(tmp_path))
    assert done == [(*found, False)] and said == []
    assert calls == [("shown", found[0].id)]


def test_again_makes_models_anew_but_takes_baselines(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = record("constant", recipe=""), tmp_path / "x.json"
    monkeypatch.setattr(Experiment, "_found", lambda *_: found)
    done, _ = results(experiment(tmp_path, again=True))
    assert done == [(*found, False)] and [name for name, _ in calls] == ["shown"]


@pytest.mark.parametrize("outcome", ["diverged", "oom", "failed", "killed", "timeout"])
def test_a_run_that_did_not_finish_makes_the_experiment_fail(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    made = experiment(tmp_path)
    monkeypatch.setattr(
        Experiment, "_found", lambda *_: (record("constant", recipe="", outcome=outcome), tmp_path / "x")
    )
    results(made)
    assert made.failed
    assert [baseline.outcome for baseline in made.baseline_records()] == [outcome]


def test_why_a_record_is_not_taken_is_said(tmp_path: Path, calls: Calls) -> None:
    made = experiment(tmp_path)
    (run,) = made._all()
    other = record("constant", recipe="").model_copy(update={"spec": run.spec, "id": run.spec.id})
    store.write(tmp_path / "results", other, {})
    _, said = results(made)
    assert said[0] == ("constant, seed 0: a record is of other code: run anew") and calls == [("run", "constant")]
