"""Errors in a user's own code are one line with its file; errors of this project are none."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bench.core.files import canonical_json
from bench.core.user_code import error_in_user_code
from registry.losses import parse

TEXT = """import json
import torch
from registry.losses import parse

def own():
    raise ValueError("not  a\\nnumber")

def silent():
    raise KeyError

def library():
    torch.zeros(2) + torch.zeros(3)

def standard_library():
    json.loads("{")

def calls_back(function):
    function()

def project():
    parse("nothing of the kind")
"""


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "users_code_a.py").write_text(TEXT)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("users_code_a")


def caught(function: Callable[[], object]) -> BaseException:
    try:
        function()
    except Exception as error:
        # The frames of this test, which is no library either, are not the user's.
        return error.with_traceback(error.__traceback__.tb_next)  # type: ignore[union-attr]
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("own", "ValueError: not a number (users_code_a.py, line 6)"),
        ("silent", "KeyError: no reason given (users_code_a.py, line 9)"),
    ],
)
def test_what_the_users_code_raises_is_one_line_with_its_place(user, name: str, line: str) -> None:
    assert error_in_user_code(caught(getattr(user, name))) == line


@pytest.mark.parametrize(("name", "line"), [("library", 12), ("standard_library", 15)])
def test_what_a_library_raises_is_the_callers(user, name: str, line: int) -> None:
    found = error_in_user_code(caught(getattr(user, name)))
    assert found is not None
    assert found.endswith(f"(users_code_a.py, line {line})")
    assert "\n" not in found


def test_what_this_project_raises_is_its_own_whoever_called_it(user) -> None:
    assert error_in_user_code(caught(user.project)) is None
    assert error_in_user_code(caught(lambda: canonical_json(float("nan")))) is None


def test_called_back_from_the_users_code_it_is_this_projects(user) -> None:
    assert error_in_user_code(caught(lambda: user.calls_back(lambda: parse("nothing of the kind")))) is None


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert error_in_user_code(ValueError("a")) is None


def test_a_library_alone_is_no_users_code() -> None:
    assert error_in_user_code(caught(lambda: json.loads("{")).with_traceback(None)) is None
    assert torch.is_tensor(torch.ones(1))
