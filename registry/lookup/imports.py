"""Importing the modules that provide entries: an error names the module and the line."""

from __future__ import annotations

import functools
import importlib
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from registry.errors import RegistryError

_CALLERS = (__file__, str(Path(__file__).parents[1] / "registry.py"))
"""Files that import modules and call builders, which are not to blame."""


def import_module(module: str, purpose: str) -> ModuleType:
    """Import a module for a purpose that stands in the message, such as ``model 'mine:Net'``.

    Raises:
        RegistryError: the module does not exist, or raised an error (`SystemExit` too) while it was imported.
    """
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise RegistryError(f"cannot import {purpose}: {_reason(module, error)}") from error


def find_attribute(path: str, purpose: str) -> Any:
    """What ``package.module:attribute`` names; the attribute may have dots.

    Raises:
        RegistryError: as `import_module`, or the module has no such attribute.
    """
    module, _, attribute = path.partition(":")
    is_path = module.endswith(".py") or "/" in module
    if is_path or not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        way = "write the module's name with dots, without .py" if is_path else ""
        raise RegistryError(f"cannot read {purpose}: {way or 'write it as package.module:attribute'}")
    found = import_module(module, purpose)
    try:
        return functools.reduce(getattr, attribute.split("."), found)
    except AttributeError as error:
        raise RegistryError(f"module {module!r} has no {attribute!r}, which is to be {purpose}") from error


def described(error: BaseException) -> str:
    """What a user's builder raised, in one line, with the place in it."""
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no reason given'}{_place(error)}"


def _reason(module: str, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
        return f"{error}. The module must be importable from here (installed, or in the current folder)"
    if isinstance(error, SystemExit):
        return f"module {module!r} ended the program ({error!r}) while it was imported{_place(error)}"
    return f"module {module!r} raised {type(error).__name__}: {error}{_place(error)}"


def _place(error: BaseException) -> str:
    """Where a module or a builder raised: the last line outside of what called it, in brackets."""
    if isinstance(error, SyntaxError):
        return ""  # its own text names the file and the line
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    frames = [frame for frame in frames if frame.filename not in _CALLERS]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
