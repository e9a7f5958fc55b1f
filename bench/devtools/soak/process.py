"""`Process`: a ``bench`` command in a process of its own, forked from one that has imported everything."""

from __future__ import annotations

import os
import resource
import runpy
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from bench.run.sweep.executors.imports import libraries_since

Signals = Sequence[tuple[float, int]]
"""Signals to be sent, each after so many seconds."""

_TICK = 0.02
LONGEST = 300.0
"""Seconds that a command may take before it counts as hanging."""


@dataclass
class Process:
    """A command that goes on, or is over.

    Attributes:
        words: of the command, without ``bench``.
        folder: in which it was started.
        process: its id; it leads a session of its own.
        pipe: in which it prints, to be read.
        signals: still to be sent to it, each after so many seconds, by number.
        began: when, by `time.monotonic`.
        looked, waited: seconds after its beginning at the last step, and those that were spent waiting for it.
        output: what it has printed so far.
        status: its exit status, negative for a signal; None while it goes on.
        longest: seconds that it may take before it counts as hanging.
        hung: whether it was killed because it took too long.
        seconds: that it took.
    """

    words: Sequence[str]
    folder: Path
    process: int
    pipe: int
    signals: list[tuple[float, int]]
    longest: float = LONGEST
    began: float = field(default_factory=time.monotonic)
    looked: float = 0.0
    waited: float = 0.0
    output: bytes = b""
    status: int | None = None
    hung: bool = False
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.output.decode(errors="replace")

    def step(self) -> None:
        """Read what it prints, send the signals whose time has come, and see whether it is over."""
        while select.select([self.pipe], [], [], 0)[0] and (content := os.read(self.pipe, 2**16)):
            self.output += content
        now = time.monotonic() - self.began
        while self.signals and now >= self.signals[0][0]:
            _send(self.process, self.signals.pop(0)[1])
        self.waited += min(now - self.looked, 1.0)  # a machine that was asleep, or all processes stopped, is no hang
        self.looked = now
        if self.waited > self.longest and not self.hung:
            self.hung = True
            _send(self.process, signal.SIGKILL)
        done, status = os.waitpid(self.process, os.WNOHANG)
        if done:
            while content := os.read(self.pipe, 2**16) if select.select([self.pipe], [], [], 0)[0] else b"":
                self.output += content
            os.close(self.pipe)
            self.status, self.seconds = os.waitstatus_to_exitcode(status), now


def use_temporary_folder(folder: Path) -> None:
    """Give this process and its children a temporary folder of their own: no other sweep holds the device in it."""
    os.environ.setdefault("RAY_TMPDIR", tempfile.gettempdir())  # its sockets' paths may have 107 bytes
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), None


def start(
    folder: Path,
    words: Sequence[str],
    signals: Signals = (),
    file_bytes: int | None = None,
    imported: Path | None = None,
) -> Process:
    """Begin a command.

    Args:
        folder: to be in.
        words: of the command, without ``bench``.
        signals: to be sent to it.
        file_bytes: that a file may have: no file system takes more.
        imported: a file that gets the names of the modules that it imported.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _be(folder, words, write, file_bytes, imported)
    os.close(write)
    return Process(words, folder, child, read, list(signals))


def finish(processes: Sequence[Process], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Wait for commands; ``meanwhile`` is called again and again."""
    going = list(processes)
    while going:
        for process in going:
            process.step()
        going = [process for process in going if process.status is None]
        meanwhile()
        time.sleep(_TICK)


def run(folder: Path, words: Sequence[str], signals: Signals = (), file_bytes: int | None = None) -> Process:
    """Begin a command and wait for it."""
    process = start(folder, words, signals, file_bytes)
    finish([process])
    return process


def _be(folder: Path, words: Sequence[str], output: int, file_bytes: int | None, imported: Path | None) -> NoReturn:
    """In the forked process: give the command and end."""
    status, before = 1, {*sys.modules}
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(output, number)
            setattr(sys, name, os.fdopen(number, "w", closefd=False))
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))
        sys.argv = ["bench", *words]
        runpy.run_module("bench", run_name="__main__")  # as ``python -m bench``
    except SystemExit as ended:
        status = 0 if ended.code is None else ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    if imported is not None:
        imported.write_text("\n".join(libraries_since(before)))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _send(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
