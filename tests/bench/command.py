"""``bench`` in this process, and in one of its own that starts at once, forked from one that has imported everything.

Python, torch and all else take seconds to start: more than most commands that a test gives. A test of the start itself,
or of what is imported, begins ``python -m bench`` instead.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PATIENCE = 200.0
"""Seconds that a command may take."""


def bench(folder: Path, *words: str, **environment: str) -> CompletedProcess[str]:
    """Give a command in a folder: its exit status, output and errors.

    Args:
        folder: where it is given.
        words: after ``bench``.
        environment: variables beside those of the test.

    Raises:
        TimeoutError: it took longer than `PATIENCE`.
    """
    return Command(partial(run_main, words), folder, **environment).result()


def run_main(words: tuple[str, ...]) -> None:
    """Give a command in this process, as ``python -m bench`` does."""
    from bench.cli import main

    sys.argv = ["bench", *words]
    main()


def status_here(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit status of a command that is given in this process, which goes on as it was before."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", sys.argv)
        patch.setattr(sys, "path", [*sys.path])
        try:
            run_main(words)
        except SystemExit as ended:
            return int(ended.code or 0)
    raise AssertionError("a command ends with a status")


@cache
def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.bench.imported_commands"])
    return context


class Command:
    """A process that has been started.

    Args:
        function: called there, and sent there by pickle; a `SystemExit` that it raises gives the status.
        folder: where it is called.
        environment: variables beside those of the test.
    """

    def __init__(self, function: Callable[[], object], folder: Path, **environment: str) -> None:
        variables = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **environment}
        self._place = Path(tempfile.mkdtemp())
        self._output, self._errors = self._place / "output", self._place / "errors"
        self._process = _context().Process(
            target=_call, args=(function, folder, variables, self._output, self._errors), daemon=True
        )
        self._process.start()

    @property
    def process(self) -> int:
        """Its id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    def result(self) -> CompletedProcess[str]:
        """Wait until it ends: its status, negative for a signal, its output and its errors.

        Raises:
            TimeoutError: it took longer than `PATIENCE`.
        """
        self._process.join(PATIENCE)
        if self.running:
            self._process.kill()
            raise TimeoutError(self._errors.read_text())
        texts = [path.read_text() if path.exists() else "" for path in (self._output, self._errors)]
        shutil.rmtree(self._place)
        return CompletedProcess([], self._process.exitcode, *texts)


def _call(function: Callable[[], object], folder: Path, variables: dict[str, str], output: Path, errors: Path) -> None:
    """In the process: be as one that was started in the folder, with nothing of the test's."""
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    for number, name, path in ((1, "stdout", output), (2, "stderr", errors)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, number)
        os.close(handle)
        setattr(sys, name, io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", line_buffering=number == 2))
    function()
