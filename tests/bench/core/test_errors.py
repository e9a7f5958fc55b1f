"""Errors: their exit status, and messages that name every problem and what to do."""

from __future__ import annotations

import ast
import copy
import errno
import os
import pickle
import re
from pathlib import Path

import pytest
import torch

from bench.core import errors
from bench.core.errors import BadData, BenchError, CannotWrite, Interrupted
from bench.core.finding import Unsound
from bench.data.stored.packing.threads import Bad
from bench.train.failures import Diverged
from registry.errors import BadParameter, RecipeSyntax, UnknownName


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (BenchError("a"), 2),
        (CannotWrite("a"), 2),
        (BadData([("a.png", "cut short")]), 3),
        (Unsound("a"), 5),
        (Interrupted("a"), 130),
        (Interrupted("a", 143), 143),
    ],
)
def test_exit_status(error: BaseException, exit_code: int) -> None:
    assert error.exit_code == exit_code  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("problems", "advice", "lines"),
    [
        ([], "", ["0 problems with the data:"]),
        ([("a.png", "cut short")], "", ["1 problem with the data:", "  a.png: cut short"]),
        (
            [("a.png", "cut short"), ("b", "missing")],
            "mend them",
            ["2 problems with the data:", "  a.png: cut short", "  b: missing", "mend them"],
        ),
    ],
)
def test_every_bad_file_has_its_line(problems: list[tuple[str, str]], advice: str, lines: list[str]) -> None:
    error = BadData(problems, advice)
    assert str(error).splitlines() == lines
    assert error.problems == tuple(problems)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free some space and run again"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "Disk quota exceeded; free some space and run again"),
        (OSError(errno.EFBIG, "File too large"), "File too large; free some space and run again"),
        (OSError(errno.EACCES, "Permission denied"), "Permission denied"),
        (PermissionError(errno.EPERM, os.strerror(errno.EPERM)), "Operation not permitted"),
        (RuntimeError("file write failed\nmore of it"), "file write failed; free some space and run again"),
        (ValueError("not that"), "not that"),
        (ValueError(), "ValueError"),
        (OSError(), "OSError"),
    ],
)
def test_what_could_not_be_written_and_why(error: Exception, message: str) -> None:
    assert str(CannotWrite.of("the page", error)) == f"cannot write the page: {message}"


def test_no_handler_of_exceptions_takes_an_interruption_for_a_failure() -> None:
    assert not issubclass(Interrupted, Exception)


ERRORS = [
    BenchError("a"),
    CannotWrite("a"),
    Unsound("a"),
    BadData([("a.png", "cut short"), ("b.png", "missing")], "mend them"),
    Interrupted("stopped", 143),
    UnknownName("model", "unett", ["unet", "wnet"], "bench list models"),
    BadParameter("a"),
    RecipeSyntax("mask: ", 6, "expected a term"),
    Diverged(2, 7, torch.tensor([3]), "depth.ssim"),
    Bad([("a.png", "cut short")]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_cross_processes_whole(error: BaseException) -> None:
    """Executors' workers send them: an error that cannot be read again ends the whole pool instead."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert (str(copy.copy(error)), vars(copy.copy(error))) == (str(error), vars(error))


def test_every_error_with_a_constructor_of_its_own_is_among_them() -> None:
    top, found = Path(errors.__file__).parents[2], set()
    for path in (*top.glob("bench/**/*.py"), *top.glob("registry/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and re.search(
                r"Error|Exception|Portable", " ".join(map(ast.unparse, node.bases))
            ):
                found |= {node.name} if "__init__" in {getattr(part, "name", "") for part in node.body} else set()
    assert found - {type(error).__name__ for error in ERRORS} == set()
    assert {"BadData", "UnknownName", "Diverged", "Bad"} <= found
