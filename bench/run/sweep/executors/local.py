"""`LocalExecutor`: tasks as processes of this machine, forked from one that has imported everything."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from bench.core.errors import BenchError
from bench.run.sweep.executors.executor import Event
from bench.run.sweep.task import Task, WorkerConfig

_SERVER = "bench.run.sweep.executors.server"
_PATIENCE = 60.0
"""Seconds that tasks have for their last step and checkpoint before they are killed."""


class LocalExecutor:
    """Makes tasks in processes of their own, ``config.share`` at once.

    Args:
        config: what all tasks have in common.

    Attributes:
        processes: process ids of the tasks that go on, by their keys.

    Raises:
        BenchError: the data cannot be opened.
    """

    def __init__(self, config: WorkerConfig) -> None:
        self._share = config.share
        self._server = _Server(config)
        self._running: list[str] = []
        self.processes: dict[str, int] = {}

    @property
    def room(self) -> int:
        """Tasks that it can take now."""
        return self._share - len(self._running)

    def submit(self, task: Task) -> None:
        """Begin a task."""
        self._running.append(task.key)
        self._server.ask({"make": task.model_dump(mode="json")})

    def wait(self, seconds: float) -> Iterator[Event]:
        """What tasks tell, waiting so long for the first."""
        with suppress(InterruptedError):
            if select.select([self._server.output], [], [], seconds)[0]:
                yield from self._events()

    def _events(self) -> Iterator[Event]:
        messages = self._server.messages()
        if messages is None:
            self._server.restart()
            messages = [
                {"key": key, "kind": "ended", "status": -signal.SIGKILL, "output": "the server of its process ended"}
                for key in self._running
            ]
        for message in messages:
            key, kind = message.pop("key"), message.pop("kind")
            if kind == "forked":
                self.processes[key] = message["process"]
            elif kind == "ended":
                self._running = [other for other in self._running if other != key]
                self.processes.pop(key, None)
            elif kind == "refused" and not key:
                raise BenchError(message["reason"])
            if key and kind != "forked":
                yield Event(key, kind, message)

    def stop(self, key: str, kill: bool = False) -> None:
        """Ask a task to write a checkpoint and end; with ``kill``, end it now."""
        if key in self._running:
            self._server.ask({"stop": key, "signal": signal.SIGKILL if kill else signal.SIGTERM})

    def close(self) -> None:
        """End the server, and with it the tasks that still go on."""
        self._server.end(_PATIENCE if self._running else 5.0)


class _Server:
    """A server's process and the two pipes to it."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._start()

    def _start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", _SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment,
            start_new_session=True,  # Ctrl-C is the sweep's alone
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self.output = self._process.stdout.fileno()
        self._rest = b""
        self._write(self._config.model_dump_json())

    def restart(self) -> None:
        """Begin anew after the process has ended by itself.

        Raises:
            BenchError: it had not begun to serve.
        """
        self.end(0.0)
        self._start()

    def ask(self, request: dict[str, Any]) -> None:
        """Send a request; one to a server that has just died is lost, as its `messages` will tell."""
        self._write(json.dumps(request))

    def messages(self) -> list[dict[str, Any]] | None:
        """What it has sent, at least one message; None if it is gone."""
        content = os.read(self.output, 2**16)
        if not content:
            return None
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [json.loads(line) for line in lines]

    def end(self, patience: float) -> None:
        """End its input and wait for it, killing it and its tasks when it takes longer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()  # the system ends its children
            self._process.wait()
        self._process.stdout.close()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(line.encode() + b"\n")
