"""A process that has imported everything and opened the data, and forks a clean process for every task.

``python -m bench.run.sweep.executors.server`` reads lines of JSON from its standard input: the configuration first,
then ``{"make": task}``, ``{"stop": key, "signal": number}``. It writes lines of JSON: events of tasks, and how their
processes ended. When its standard input ends, so do its tasks, each after a checkpoint.

Importing torch and all else takes seconds, a fork takes milliseconds. A process may be forked as long as OpenMP has
made no threads in it: this one computes with one thread, and only its children with as many as a run of its own would.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import torch

from bench.core.errors import BenchError, Interrupted
from bench.core.interruption import Interruption
from bench.run.sweep.executors.imports import libraries_since
from bench.run.sweep.executors.messages import first_line, send
from bench.run.sweep.task import Task, WorkerConfig
from bench.run.sweep.worker.worker import Worker
from bench.train.failures import describe, traceback_lines
from registry.errors import RegistryError

PATIENCE = 60.0
"""Seconds that a task has for its last step and checkpoint when nobody is left to wait for it."""
OUTPUT = "output.txt"
"""In a run's folder: what its process printed."""
_SHOWN = 600
"""Bytes of it that are told."""
_NAMES = 60_000
"""Letters that a pipe holds without anybody reading it."""
_DEATH_SIGNAL = 1  # of Linux's prctl.h
REFUSED = 2
"""Exit status of a task that could not begin; the ``refused`` event says why."""


class Server:
    """Forks a process a task.

    Args:
        config: what all tasks have in common.
        pipe: where events are written to.
    """

    def __init__(self, config: WorkerConfig, pipe: int) -> None:
        self._worker, self._pipe = Worker(config), pipe
        self._worker.preload()
        self._children: dict[int, str] = {}  # by process id the key of its task
        self._imports: dict[int, int] = {}  # by process id the pipe in which it names what it imported
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(self._woken)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self, requests: int) -> None:
        """Do what is asked on this pipe until there is nobody to ask, then let all tasks end."""
        rest = b""
        while True:
            ready, _, _ = select.select([requests, self._wake], [], [])
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._reap()
            if requests in ready:
                content = os.read(requests, 2**16)
                if not content:
                    break
                *lines, rest = (rest + content).split(b"\n")
                for line in lines:
                    self._answer(json.loads(line))
        self._end_all()

    def _end_all(self) -> None:
        """Let every task write its checkpoint and end; those that do not are killed."""
        for number, seconds in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, PATIENCE)):
            for child in self._children:
                _signal(child, number)
            end = time.monotonic() + seconds
            while self._children and (left := end - time.monotonic()) > 0:
                if select.select([self._wake], [], [], left)[0]:
                    os.read(self._wake, 4096)
                    self._reap()

    def _answer(self, request: dict[str, Any]) -> None:
        if "make" in request:
            self._fork(Task.model_validate(request["make"]))
        else:
            for child, key in self._children.items():
                if key == request["stop"]:
                    _signal(child, request["signal"])

    def _fork(self, task: Task) -> None:
        imports, naming = os.pipe()
        child = os.fork()
        if child == 0:
            self._make(task, naming)
        os.close(naming)
        self._children[child], self._imports[child] = task.key, imports
        send(self._pipe, {"key": task.key, "kind": "forked", "process": child})

    def _reap(self) -> None:
        """Tell of the processes that have ended."""
        for child in list(self._children):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                key = self._children.pop(child)
                folder = self._worker.config.runs / key.rpartition("-")[2]
                code = os.waitstatus_to_exitcode(status)
                imports = self._imports.pop(child)
                os.set_blocking(imports, False)
                send(self._pipe, {"key": key, "kind": "ended", "status": code, "output": _tail(folder / OUTPUT)})
                self._learn(imports)

    def _learn(self, imports: int) -> None:
        """Import what a run has imported, so that the next ones need not."""
        with suppress(BlockingIOError), os.fdopen(imports, "rb") as pipe:
            for name in (pipe.read() or b"").decode().split():
                with suppress(Exception, SystemExit):
                    import_module(name)

    def _make(self, task: Task, naming: int) -> NoReturn:
        """In the forked process: make the task, name what was imported for it, and end."""
        status, before = 1, {*sys.modules}
        try:
            interruption = Interruption()
            interruption.install()
            os.setpgid(0, 0)  # Ctrl-C reaches the sweep alone, which passes it on
            _end_with_parent()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _redirect(self._worker.config.runs / task.spec.id / OUTPUT)
            torch.set_num_threads(self._worker.config.threads)
            status = self._worker.make(task, lambda event: send(self._pipe, {"key": task.key, **event}), interruption)
        except Interrupted as stopped:
            status = stopped.exit_code
        except (BenchError, RegistryError) as error:
            send(
                self._pipe,
                {"key": task.key, "kind": "refused", "reason": str(error), "exception": type(error).__name__},
            )
            status = REFUSED
        except BaseException as error:
            traceback.print_exc()
            send(
                self._pipe,
                {
                    "key": task.key,
                    "kind": "refused",
                    "reason": describe(error),
                    "exception": type(error).__name__,
                    "traceback": traceback_lines(error),
                },
            )
            status = 1
        finally:
            with suppress(Exception):
                os.set_blocking(naming, False)
                os.write(naming, "\n".join(libraries_since(before))[:_NAMES].encode())
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)


def _signal(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _end_with_parent() -> None:
    """Let the system stop this process when the server is gone; elsewhere than on Linux it finishes its run."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM)


def _redirect(output: Path) -> None:
    """Let standard output and error go to a file, and standard input come from nowhere."""
    output.parent.mkdir(parents=True, exist_ok=True)
    nothing, file = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for source, target in ((nothing, 0), (file, 1), (file, 2)):
        os.dup2(source, target)


def _tail(output: Path) -> str:
    """The end of what a process printed, in ASCII; an empty file is taken away."""
    try:
        content = output.read_bytes()
        if not content:
            output.unlink()
        return content[-_SHOWN:].decode("ascii", errors="replace").replace("\ufffd", "?")
    except OSError:
        return ""


def main() -> None:
    """Serve whoever started this process, by its standard input and output."""
    pipe = os.dup(1)
    os.dup2(2, 1)  # what anybody prints is no event
    sys.path.insert(0, "")  # a user's own model or term may lie in the current folder
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the sweep says when to end: by ending the input
    config = WorkerConfig.model_validate_json(first_line(0))
    torch.set_num_threads(1)
    try:
        server = Server(config, pipe)
    except (BenchError, RegistryError) as error:
        send(pipe, {"key": "", "kind": "refused", "reason": str(error)})
        raise SystemExit(REFUSED) from error
    # What is here now outlives every child: its collectors need not look at it, which would copy its pages, too.
    gc.collect()
    gc.freeze()
    send(pipe, {"key": "", "kind": "ready", "process": os.getpid()})
    server.serve(0)
    os._exit(0)  # without what libraries say about objects that were frozen


if __name__ == "__main__":
    main()
