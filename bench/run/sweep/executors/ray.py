"""`RayExecutor`: tasks on the nodes of a Ray cluster.

Our records are the truth; Ray only places tasks and retries them. A task runs in a process of its own, on whichever
node has room; when a node dies Ray begins its tasks anew elsewhere. Records and weights come back through the driver,
so that all end in its folders; so do checkpoints of runs that were stopped, and go out again with the run that goes on
from them. Samples are rendered once on a node.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from bench.core.errors import BenchError
from bench.run.sweep.executors import remote
from bench.run.sweep.executors.executor import Event
from bench.run.sweep.task import Task, WorkerConfig
from bench.train.checkpoints.training_state import LAST

RETRIES = 5
"""Times that Ray begins a task anew whose process or node has died."""
_KILLED = -9


def ray_module() -> Any:
    """Ray itself.

    Raises:
        BenchError: it is not installed.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise BenchError("ray is not installed: pip install 'maskdepth-bench[cluster]'") from None
    return ray


class RayExecutor:
    """Makes tasks on a cluster.

    Args:
        config: what all tasks have in common; its folders are the driver's.
        address: ``auto``, or of a cluster; "" to begin one on this machine.
        cpus, gpus: that each task gets.

    Raises:
        BenchError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, config: WorkerConfig, address: str = "", cpus: float = 1, gpus: float = 0) -> None:
        self._ray = ray = ray_module()
        self._config, self._cpus, self._gpus = config, cpus, gpus
        self._owned = not ray.is_initialized()
        if self._owned:
            path = os.pathsep.join(dict.fromkeys(map(os.path.abspath, filter(None, sys.path))))
            try:
                ray.init(
                    address=address or None,
                    include_dashboard=False if not address else None,
                    log_to_driver=False,
                    logging_level="ERROR",
                    runtime_env={"env_vars": {"PYTHONPATH": path}},
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise BenchError(f"no Ray cluster at {address}: {error}") from error
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._post = ray.remote(num_cpus=0, scheduling_strategy=here, max_concurrency=64)(_Post).remote()
        self._make = ray.remote(max_calls=1, max_retries=RETRIES, num_cpus=cpus, num_gpus=gpus)(_make)
        self._tasks: dict[str, Task] = {}
        self._results: dict[Any, str] = {}
        self._stopped: set[str] = set()

    @property
    def room(self) -> int:
        """Tasks that it can take now: as many as the cluster has room for, and one more to wait for it."""
        total = self._ray.cluster_resources()
        slots = total.get("CPU", 0) // self._cpus if self._cpus else len(self._tasks) + 1
        if self._gpus:
            slots = min(slots, total.get("GPU", 0) // self._gpus)
        return int(slots) + 1 - len(self._tasks)

    def submit(self, task: Task) -> None:
        """Give Ray a task, with the checkpoint that it goes on from."""
        folder = self._config.runs / task.spec.id
        files = remote.read(self._config.runs, folder) if (folder / LAST).exists() else {}
        reference = self._make.remote(
            self._config.model_dump(mode="json"), task.model_dump(mode="json"), task.key, files, self._post
        )
        self._tasks[task.key], self._results[reference] = task, task.key

    def wait(self, seconds: float) -> Iterator[Event]:
        """What tasks tell, waiting so long for one to end."""
        if not self._results:
            time.sleep(min(seconds, 0.1))
        else:
            done, _ = self._ray.wait([*self._results], num_returns=1, timeout=seconds)
            yield from self._told()
            for reference in done:
                yield from self._ended(reference)

    def _told(self) -> Iterator[Event]:
        """Events that have come since."""
        for message in self._ray.get(self._post.take.remote()):
            key, kind = message.pop("key"), message.pop("kind")
            if kind != "recorded" and key in self._tasks:  # recorded is what lies in the driver's folder
                yield Event(key, kind, message)

    def _ended(self, reference: Any) -> Iterator[Event]:
        """A task is over: keep what it has left, and tell."""
        key = self._results.pop(reference)
        task = self._tasks.pop(key)
        try:
            left = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            left = self._ray.get(self._post.left.remote(key))  # what a task that was stopped has sent before it ended
            if left is None:
                words = str(error).splitlines()[:1]
                yield Event(key, "ended", {"status": _KILLED, "output": " ".join(words)[:300]})
                return
        remote.write(self._config.runs, left["runs"])
        path = remote.collect(self._config.results, left["results"])
        if path is not None:
            yield Event(key, "recorded", {"path": path.name})
        yield Event(key, "ended", {"status": left["status"], "output": ""})
        assert task.key == key

    def stop(self, key: str, kill: bool = False) -> None:
        """Ask a task to write a checkpoint and end; with ``kill``, end it now."""
        for reference, name in self._results.items():
            if name == key:
                with suppress(ValueError, self._ray.exceptions.RayError):
                    self._ray.cancel(reference, force=kill)

    def close(self) -> None:
        """Leave the cluster; one that was begun for this ends."""
        for reference in self._results:
            with suppress(ValueError, self._ray.exceptions.RayError):
                self._ray.cancel(reference, force=True)
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._post)
        if self._owned:
            self._ray.shutdown()


class _Post:
    """On the driver's node: takes events, and what stopped tasks leave."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []
        self._left: dict[str, dict[str, Any]] = {}

    def put(self, event: dict[str, Any]) -> None:
        self._events.append(event)

    def take(self) -> list[dict[str, Any]]:
        events, self._events = self._events, []
        return events

    def leave(self, key: str, left: dict[str, Any]) -> None:
        self._left[key] = left

    def left(self, key: str) -> dict[str, Any] | None:
        return self._left.pop(key, None)


def _make(config: dict[str, Any], task: dict[str, Any], key: str, files: remote.Files, post: Any) -> dict[str, Any]:
    """In a process of a node."""
    import ray

    left = remote.make(config, task, files, lambda event: post.put.remote({"key": key, **event}))
    if left["status"] in (130, 143):  # Ray keeps nothing of a task that was cancelled
        ray.get(post.leave.remote(key, left))
    return left
