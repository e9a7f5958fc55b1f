"""`ForkedServer`: the server of a sweep's processes, forked from a test's process, which has imported everything.

A server of its own needs seconds to import torch. What its start does, and that nothing stays of it, is for tests that
leave it as it is.
"""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
import time
import traceback
from types import SimpleNamespace
from typing import NoReturn

import pytest
import torch._dynamo  # noqa: F401  # the first optimizer of a process imports it

from bench.run.sweep.executors import local, server


class ForkedServer:
    """In the place of the `subprocess.Popen` that starts a server; what it is given is as it was in this process."""

    def __init__(self, words: list[str], **options: object) -> None:
        requests, asking = os.pipe()
        telling, events = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _serve(requests, events, asking, telling)
        os.close(requests)
        os.close(events)
        self.stdin, self.stdout = os.fdopen(asking, "wb", 0), os.fdopen(telling, "rb", 0)
        self._ended = False

    def wait(self, timeout: float | None = None) -> None:
        """Until it has ended.

        Raises:
            TimeoutExpired: it took longer than ``timeout`` seconds.
        """
        end = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while not self._ended:
            self._ended = os.waitpid(self.pid, os.WNOHANG)[0] != 0
            if not self._ended:
                if time.monotonic() > end:
                    raise subprocess.TimeoutExpired("server", timeout or 0.0)
                time.sleep(0.01)

    def kill(self) -> None:
        """At once."""
        if not self._ended:
            os.kill(self.pid, 9)


def _serve(requests: int, events: int, *others: int) -> NoReturn:
    """In the forked process: be the server."""
    status = 1
    try:
        os.setsid()
        faulthandler.disable()  # pytest's would print what a test does on purpose
        for number in others:
            os.close(number)
        os.dup2(requests, 0)
        os.dup2(events, 1)
        os.close(requests)
        os.close(events)
        for number, name in ((1, "stdout"), (2, "stderr")):
            setattr(sys, name, os.fdopen(number, "w", closefd=False))  # pytest's go elsewhere
        server.main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def fork_servers(patch: pytest.MonkeyPatch) -> None:
    """Let sweeps of this process, and of those forked from it, fork theirs."""
    patch.setattr(
        local,
        "subprocess",
        SimpleNamespace(Popen=ForkedServer, PIPE=subprocess.PIPE, TimeoutExpired=subprocess.TimeoutExpired),
    )
