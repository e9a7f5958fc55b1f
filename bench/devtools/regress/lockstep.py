"""Two checkouts' benchmarks in lockstep: for each benchmark slices A B B A, A B B A, ..."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from bench.core.errors import BenchError

BENCHMARKS = "tests/benchmarks"
_GOOD = (0, 5)  # pytest: all passed; nothing was collected


class BenchmarkProcess:
    """A pytest process over a checkout's benchmarks, waiting for its turns. Use as a context manager."""

    def __init__(self, checkout: Path, select: str, seconds: float) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="turns-"))
        shutil.copy(Path(__file__).with_name("slices.py"), self._folder / "slices.py")
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        words = [
            sys.executable,
            "-m",
            "pytest",
            BENCHMARKS,
            "-q",
            "-p",
            "slices",
            "-p",
            "no:benchmark",
            "-p",
            "no:xdist",
            "-p",
            "no:timeout",  # who waits for a turn is not late
        ]
        words += [
            "-o",
            "addopts=--import-mode=importlib",
            "-p",
            "no:cacheprovider",
            *(["-k", select] if select else []),
        ]
        path = os.pathsep.join([str(self._folder), str(checkout)])
        names = {**os.environ, "PYTHONPATH": path, "TURNS_IN": str(to_child), "TURNS_OUT": str(from_child)}
        names["TURNS_SLICE"] = str(seconds)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed in __exit__
        self._process = subprocess.Popen(
            words,
            cwd=checkout,
            env=names,
            pass_fds=(to_child, from_child),
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        os.close(to_child)
        os.close(from_child)
        self._reader: IO[str] = os.fdopen(self._in, "r")
        self._writer: IO[str] = os.fdopen(self._out, "w")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.close()
        self._writer.close()
        self._log.close()
        shutil.rmtree(self._folder)

    def offers(self) -> list[str]:
        """All benchmarks it could run; read once, before `keep`."""
        tests: list[str] = self._receive()["tests"]
        return tests

    def keep(self, names: Sequence[str]) -> None:
        """Run these alone."""
        self._send(list(names))

    def ready(self) -> str | None:
        """The benchmark that waits for its turns; None after the last."""
        message = self._receive()
        name: str | None = message["test"]
        if message.get("status", 0) not in _GOOD:
            raise self._stopped()
        return name

    def slice(self) -> float:
        """Give it a turn; median seconds of a call."""
        self._send("go")
        message = self._receive()
        if "seconds" not in message:  # the benchmark failed, and pytest went on to the next
            self._process.kill()
            raise self._stopped()
        return float(message["seconds"])

    def done(self) -> None:
        """Let it pass on to its next benchmark."""
        self._send("next")

    def _send(self, message: object) -> None:
        self._writer.write(json.dumps(message) + "\n")
        self._writer.flush()

    def _receive(self) -> dict[str, Any]:
        line = self._reader.readline()
        if not line:
            raise self._stopped()
        message: dict[str, Any] = json.loads(line)
        return message

    def _stopped(self) -> BenchError:
        self._process.wait()
        self._log.seek(0)
        tail = self._log.read().decode(errors="replace").splitlines()[-8:]
        return BenchError("benchmarks failed:\n  " + "\n  ".join(tail))


def lockstep(
    ours: Path, theirs: Path, select: str, quads: int, seconds: float, only: frozenset[str] | None = None
) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Run the benchmarks that both checkouts have, in turn.

    Args:
        ours, theirs: the two checkouts.
        select: pytest's ``-k``; empty for all.
        quads: how often A B B A is gone through for each benchmark.
        seconds: how long a turn is, at least one call.
        only: the benchmarks to run, of those; None for all.

    Yields:
        Each benchmark's name and, a quad, the mean seconds of ours and of theirs.

    Raises:
        BenchError: a process could not go through its benchmarks.
    """
    with BenchmarkProcess(ours, select, seconds) as a, BenchmarkProcess(theirs, select, seconds) as b:
        offered, common = a.offers(), set(b.offers())
        names = [name for name in offered if name in common and (only is None or name in only)]
        a.keep(names)
        b.keep(names)
        while (name := a.ready()) is not None:
            if b.ready() != name:
                raise BenchError(f"the two revisions run their benchmarks in different orders, at {name}")
            yield name, [_quad(a, b) for _ in range(quads)]
            a.done()
            b.done()


def _quad(a: BenchmarkProcess, b: BenchmarkProcess) -> tuple[float, float]:
    first, second, third, fourth = a.slice(), b.slice(), b.slice(), a.slice()
    return (first + fourth) / 2, (second + third) / 2
