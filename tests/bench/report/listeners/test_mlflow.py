"""MLflow: a run there for every run here, in a local store."""

import json
from pathlib import Path

import pytest

from bench.report.listeners import trackers
from bench.report.listeners.lost_runs import LostRuns
from bench.run.supervision import record_lost
from bench.run.sweep.listener import SweepListener
from bench.train.checkpoints import training_state
from bench.train.events import Listener, Listeners, OptionalListener
from tests.bench.rectangles import Rectangles
from tests.bench.run.kills import DiesAt, Killed
from tests.bench.run.small_runs import small_run, small_runner
from tests.bench.run.sweep.made_up import small_sweep, task

pytestmark = pytest.mark.extra
OPTIONAL = "bench.report.listeners.optional_listeners:optional_listeners"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A local store, and a client of it."""
    mlflow = pytest.importorskip("mlflow", reason="the tracker's package is not installed")
    pytest.importorskip("sqlalchemy", reason="a local store needs it")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "grid")
    monkeypatch.chdir(tmp_path)  # artifacts lie there
    return mlflow.MlflowClient()


def runs(client) -> list:
    experiment = client.get_experiment_by_name("grid")
    return client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])


def test_a_run_is_there_with_all_that_the_record_has(tmp_path: Path, store) -> None:
    listener = trackers.trackers.build("mlflow")
    record, _ = small_runner(tmp_path, Rectangles(), listener).run(small_run(Rectangles(), epochs=2))
    (run,) = runs(store)
    assert run.info.status == "FINISHED"
    assert run.data.params["model"] == "unet[width=4]"
    assert run.data.params["recipe"] == record.spec.recipe
    assert run.data.params["protocol.optimizer"] == record.spec.protocol.optimizer
    for name, score in record.test.items():
        if score.value is not None:
            assert run.data.metrics[f"test/{name}"] == pytest.approx(score.value)
    history = store.get_metric_history(run.info.run_id, "validation/mask_dice")
    assert [(each.step, each.value) for each in history] == [
        (record.spec.protocol.steps_before(epoch.epoch + 1), epoch.val_metrics["mask_dice"]) for epoch in record.epochs
    ]
    artifact = store.download_artifacts(run.info.run_id, "record.json", str(tmp_path))
    assert json.loads(Path(artifact).read_text()) == record.model_dump(mode="json")
    assert not [*(tmp_path / "runs").rglob("mlflow.txt")]


def test_a_sweep_reports_every_run_and_failed_ones_as_failed(tmp_path: Path, store) -> None:
    models = ["unet[width=4]", "tests.bench.run.sweep.test_sweep:Hanging[does=raise]",
              "tests.bench.run.sweep.test_sweep:Hanging[does=segfault]"]  # fmt: skip
    swept = small_sweep(tmp_path, *models, listeners=OPTIONAL, trackers=["mlflow"])
    swept.run(LostRuns(swept.trackers, swept.runs, SweepListener()))
    found = {run.data.tags["outcome"]: run.info.status for run in runs(store)}
    assert found == {"finished": "FINISHED", "failed": "FAILED", "killed": "FAILED"}


def test_a_run_that_goes_on_is_the_same_run_there(tmp_path: Path, store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_state, "EVERY", 0.0)  # a checkpoint after every epoch
    run, source = small_run(Rectangles(), train_samples=64, epochs=2), Rectangles()
    with pytest.raises(Killed):
        listeners = Listeners([trackers.trackers.build("mlflow"), DiesAt(12)])
        small_runner(tmp_path, source, listeners).run(run)
    assert [each.info.status for each in runs(store)] == ["RUNNING"]
    killed, _ = record_lost(run, tmp_path / "results", tmp_path / "runs", "cpu", "killed", "its process is gone")
    LostRuns(["mlflow"], tmp_path / "runs", SweepListener()).ended(
        task().model_copy(update={"spec": run.spec}), killed, made=False
    )
    assert [each.info.status for each in runs(store)] == ["FAILED"]
    small_runner(tmp_path, source, trackers.trackers.build("mlflow")).run(run)
    (only,) = runs(store)
    assert only.info.status == "FINISHED" and only.data.tags["outcome"] == "finished"


def test_a_tracker_that_fails_is_a_warning(tmp_path: Path, store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    notices: list[str] = []
    listener: Listener = OptionalListener(trackers.trackers.build("mlflow"), "MLflow run", notices.append)
    record, _ = small_runner(tmp_path, Rectangles(), listener).run(small_run(Rectangles()))
    assert record.outcome == "finished"
    assert len(notices) == 1 and notices[0].startswith("warning: no MLflow run of this run: ")


def test_an_experiment_that_is_refused_is_said_with_the_servers_reason(tmp_path: Path, store) -> None:
    notices: list[str] = []
    tracker = trackers.trackers.build("mlflow[experiment=grid]")
    tracker._experiment = " " * 5000  # no server takes such a name
    listener: Listener = OptionalListener(tracker, "MLflow run", notices.append)
    record, _ = small_runner(tmp_path, Rectangles(), listener).run(small_run(Rectangles()))
    assert record.outcome == "finished"
    assert len(notices) == 1 and "NoneType" not in notices[0] and "ame" in notices[0], notices
