"""The server of a sweep's processes, when nobody is left to ask it for anything."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.run.sweep.executors import server as serving
from bench.run.sweep.executors.messages import send
from bench.run.sweep.executors.server import Server


@pytest.fixture
def pipes() -> Iterator[tuple[int, int]]:
    """A pipe for events; signals of children are as before afterwards."""
    before = signal.getsignal(signal.SIGCHLD)
    read, write = os.pipe()
    yield read, write
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, before)
    os.close(read)
    os.close(write)


class Idle:
    """A worker that makes nothing."""

    def __init__(self, config: SimpleNamespace) -> None:
        self.config = config

    def preload(self) -> None:
        """Nothing to import."""


def child(deaf: bool) -> int:
    """A process that ends on SIGTERM, or does not; it has its handler."""
    ready, begun = os.pipe()
    process = os.fork()
    if process == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if deaf else signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        os.close(begun)
        time.sleep(60)
        os._exit(0)
    os.close(begun)
    os.read(ready, 1)  # ends when the child closes its end
    os.close(ready)
    return process


def test_tasks_are_asked_to_end_and_killed_if_they_do_not(
    tmp_path: Path, pipes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "Worker", Idle)
    monkeypatch.setattr(serving, "PATIENCE", 1.0)
    read, write = pipes
    server = Server(SimpleNamespace(runs=tmp_path), write)
    for key, deaf in (("polite", False), ("deaf", True)):
        imports, naming = os.pipe()
        process = child(deaf)
        os.close(naming)
        server._children[process], server._imports[process] = key, imports
    nothing, end = os.pipe()
    os.close(end)
    began = time.monotonic()
    server.serve(nothing)
    os.close(nothing)
    assert 1.0 <= time.monotonic() - began < 20.0
    told = [json.loads(line) for line in os.read(read, 2**16).splitlines()]
    assert {each["key"]: each["status"] for each in told} == {"polite": -signal.SIGTERM, "deaf": -signal.SIGKILL}


def test_a_long_message_is_shortened_so_that_it_is_written_at_once(pipes: tuple[int, int]) -> None:
    read, write = pipes
    send(write, {"key": "a", "kind": "refused", "reason": "x" * 100_000, "traceback": ["y" * 5000] * 50})
    line = os.read(read, 2**17)
    assert len(line) <= 4096 and line.endswith(b"\n")
    assert json.loads(line)["key"] == "a"
