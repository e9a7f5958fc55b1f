"""Experiment trackers that runs are reported to besides their records: off unless they are named by ``--track``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from bench.core.errors import BenchError
from bench.train.events import Listener
from registry.registry import Registry

trackers: Registry[Listener] = Registry(
    "tracker",
    "bench run --help",
    group="maskdepth_bench.trackers",
    index="bench.report.listeners.trackers:trackers",
    makes="bench.train.events:Listener",
)
"""Listeners by key. Facts: ``package`` that they need, ``extra`` that installs it, ``what`` they make, in words."""


@trackers.register(package="mlflow", extra="track", what="MLflow run")
def mlflow(experiment: str = "", uri: str = "") -> Listener:
    """A run of MLflow: parameters, metrics after every epoch, those of the test, and the record as an artifact.

    Args:
        experiment: its name; else ``MLFLOW_EXPERIMENT_NAME``, else ``maskdepth-bench``.
        uri: of the tracking server or store; else MLflow's own choice, ``MLFLOW_TRACKING_URI`` first.
    """
    from bench.report.listeners.mlflow_tracker import MlflowTracker

    return MlflowTracker(experiment, uri)


def check_trackers(keys: Sequence[str]) -> tuple[str, ...]:
    """The canonical keys of trackers, each once, found out before anything is run.

    Raises:
        RegistryError: there is none of that name, or it has no such parameter.
        BenchError: what it needs is not installed.
    """
    for key in keys:
        facts = trackers.resolve(key)[0].facts
        package = facts.get("package")
        if package and find_spec(package) is None:
            raise BenchError(
                f"--track {key}: {package} is not installed: pip install 'maskdepth-bench[{facts['extra']}]'"
            )
    return tuple(dict.fromkeys(trackers.canonical(key) for key in keys))


def build_trackers(keys: Sequence[str]) -> dict[str, Listener]:
    """New listeners of a run, by what they make."""
    named = {key: trackers.resolve(key)[0].facts.get("what", f"report to {key}") for key in keys}
    return {what: trackers.build(key) for key, what in named.items()}
