"""Processes that measure, one after another: each is given its time, and ended with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bench.devtools.gpu.journal import Journal
from bench.devtools.gpu.plan import parts

_ENDING = (signal.SIGINT, signal.SIGTERM)
"""Signals that end a command; a worker is started while they are held back."""
_TICK = 0.2  # seconds
_DYING = 1.0  # seconds that killed processes are waited for: what nobody asks for its code never seems gone


@dataclass
class _State:
    """The part that a worker is at, and since when; why it was stopped, if it was."""

    part: str
    since: float
    stopped: str = ""


def work(names: list[str], options: list[str], left: float, journal: Journal) -> tuple[list[str], bool]:
    """Let a process do as many parts as it can in ``left`` seconds.

    Returns:
        The names that are left for the next process, and whether a part broke this one.
    """
    with tempfile.TemporaryDirectory(prefix="gpu-", ignore_cleanup_errors=True) as scratch:
        words = [sys.executable, "-u", "-m", "bench.devtools.gpu.worker", "--scratch", scratch, *options, *names]
        with _session(words) as process:
            heard, state, code = _listen(process, names[0], left)
    remaining = [name for name in names if name not in heard]
    if not remaining:
        return [], False
    if state.part in remaining:
        seconds = time.monotonic() - state.since
        why = f"its process ended with {code} after {seconds:.0f} s{state.stopped}"
        journal.line(state.part, error=why, limit=parts()[state.part].limit)
        remaining.remove(state.part)
    return remaining, True


@contextmanager
def _session(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process in a session of its own, of which nothing is left afterwards, whatever happens here.

    A signal that ends this process waits until there is something to end: the worker lets them through again.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace", start_new_session=True
        )
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield process
    finally:
        _end(process)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _end(process: subprocess.Popen[str]) -> None:
    """Kill the process and all that it started, and wait until they are gone: they write to its scratch folder."""
    until = time.monotonic() + _DYING
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
        while time.monotonic() < until:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(_TICK / 10)


def _listen(process: subprocess.Popen[str], first: str, left: float) -> tuple[list[str], _State, int]:
    """The parts that a worker says it has done, where it stood last, and its code; it is ended when its time is over.

    A worker writes its figures to the journal, and to its standard output only where it stands, beside the lines.
    """
    heard: list[str] = []
    state = _State(first, time.monotonic())
    ended = threading.Event()

    def watch() -> None:
        begin = time.monotonic()
        while not ended.wait(_TICK):
            now = time.monotonic()
            if now - begin > left:
                state.stopped = ", as the time for everything was over"
            elif now - state.since > parts()[state.part].limit:
                state.stopped = ", its limit"
            if state.stopped or process.poll() is not None:  # what an ended process started may hold its output open
                _end(process)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert process.stdout is not None
    try:
        for line in process.stdout:
            word, _, name = line.strip().partition(" ")
            if word == "BEGIN":
                state.part, state.since = name, time.monotonic()
            elif word == "DONE":
                heard.append(name)
            else:
                print(line, end="", flush=True)
        return heard, state, process.wait()
    finally:
        ended.set()
        watcher.join()
