"""What the source of a module says without importing it: which functions it registers, and their docstrings."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path


def registered(package: str, variable: str) -> Iterator[tuple[str, str]]:
    """Every (module, function) of a package, at any depth, that stands under ``@variable.register(...)``."""
    spec = importlib.util.find_spec(package)
    decorated = re.compile(rf"^@{variable}\.register\(.*?^def (\w+)", re.MULTILINE | re.DOTALL)
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(folder).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            module = ".".join([package, *(part for part in parts if part != "__init__")])
            for match in decorated.finditer(path.read_text(encoding="utf-8")):
                yield module, match[1]


def docstring_line(module: str, name: str) -> str:
    """The first line of the docstring of a function or class; empty where there is none to read."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    for node in ast.walk(_parsed(spec.origin)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def file_of(module: str) -> str:
    """The path of a module's file as it reads in its distribution, ``registry/models/__init__.py``."""
    spec = importlib.util.find_spec(module)
    is_package = spec is not None and spec.submodule_search_locations is not None
    return module.replace(".", "/") + ("/__init__.py" if is_package else ".py")


@functools.cache
def _parsed(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8"))
