"""Runs in MLflow. Their records stay the truth: this is a copy for people who look at their runs there."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core import files
from bench.core.record import Epoch, Record
from bench.core.spec import RunSpec
from bench.train.events import Listener, Preview

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_ID = "mlflow.txt"
"""In a run's folder until it has finished: the id of its run there, with which it goes on."""
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # a server that does not answer holds no training up for minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_REFUSED = re.compile(r"[^\w\-. :/]")
"""What no name of a parameter or metric may hold."""
_LONGEST, _AT_ONCE = 500, 100
"""Letters of a value, and parameters in a request; MLflow takes no more of these."""


class MlflowTracker(Listener):
    """One run of MLflow for every run, gone on with where the run is; ``FAILED`` if that did not finish.

    Args:
        experiment: its name; empty for ``MLFLOW_EXPERIMENT_NAME``, or ``maskdepth-bench``.
        uri: of the tracking server or store; empty for MLflow's own choice.
    """

    def __init__(self, experiment: str = "", uri: str = "") -> None:
        for name, value in _DEFAULTS.items():
            os.environ.setdefault(name, value)
        import mlflow  # takes seconds: once, before processes are forked

        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._experiment = experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "maskdepth-bench"
        self._uri, self._mlflow = uri or None, mlflow
        self._run = ""

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        """Begin a run with its parameters, or go on with that of an earlier process."""
        self._client: MlflowClient = self._mlflow.MlflowClient(self._uri)
        self._protocol = spec.protocol
        self._run, before = "", _read(folder)
        if before:
            with suppress(self._mlflow.MlflowException):  # somebody has removed it there
                self._client.update_run(before, status="RUNNING" if step else "KILLED")
                self._run = before if step else ""
        if not self._run:
            self._run = self._begin(spec)
            files.replace(folder / RUN_ID, self._run)

    def epoch(self, epoch: Epoch) -> None:
        """Log losses, metrics of validation and the learning rate, by training step."""
        values = {
            **{f"train/{name}": value for name, value in epoch.train_loss.items()},
            **{f"validation/{name}": value for name, value in (epoch.val_loss | epoch.val_metrics).items()},
            "train/learning_rate": epoch.learning_rate,
        }
        self._log(values, self._protocol.steps_before(epoch.epoch + 1))

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Log the test's metrics and the record, and end the run; one whose process could not is ended here, too."""
        if not self._run:
            self.started(record.spec, folder, 0, step=1)
        self._log({f"test/{name}": score.value for name, score in record.test.items()}, record.spec.protocol.steps)
        finished = record.outcome == "finished"
        tags = {"outcome": record.outcome, "reason": (record.reason or "")[:_LONGEST], "division": record.division}
        self._client.log_batch(self._run, tags=[self._mlflow.entities.RunTag(*item) for item in tags.items()])
        self._client.log_text(self._run, record.model_dump_json(indent=1), "record.json")
        self._client.set_terminated(self._run, "FINISHED" if finished else "FAILED")
        self._run = ""
        if finished:
            (folder / RUN_ID).unlink(missing_ok=True)

    def _begin(self, spec: RunSpec) -> str:
        name = f"{spec.model}, seed {spec.seed} ({spec.id})"
        run: str = self._client.create_run(self._experiment_id(), run_name=name).info.run_id
        params = [self._mlflow.entities.Param(*item) for item in _params(spec)]
        for first in range(0, len(params), _AT_ONCE):
            self._client.log_batch(run, params=params[first : first + _AT_ONCE])
        return run

    def _experiment_id(self) -> str:
        """That of the experiment, made if there is none; another process may make it at the same time."""
        try:
            return str(self._client.create_experiment(self._experiment))
        except self._mlflow.MlflowException:
            found = self._client.get_experiment_by_name(self._experiment)
            if found is None:  # it was refused for another reason
                raise
            return str(found.experiment_id)

    def _log(self, values: Mapping[str, float | None], step: int) -> None:
        now = int(1000 * time.time())
        metrics = [
            self._mlflow.entities.Metric(_REFUSED.sub("_", name), value, now, step)
            for name, value in values.items()
            if value is not None
        ]
        for first in range(0, len(metrics), _AT_ONCE):
            self._client.log_batch(self._run, metrics=metrics[first : first + _AT_ONCE])


def _params(spec: RunSpec) -> Iterator[tuple[str, str]]:
    """Everything that decides a run's outcome, by dotted names."""
    for name, value in _flat(spec.model_dump(mode="json")):
        yield _REFUSED.sub("_", name), str(value)[:_LONGEST]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _read(folder: Path) -> str:
    """The id that an earlier process has left; empty if none did."""
    with suppress(OSError, UnicodeDecodeError):
        return (folder / RUN_ID).read_text(encoding="ascii").strip()
    return ""
