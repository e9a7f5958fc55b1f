"""What a module registers, and its docstrings, read from its source without importing it or a package above it."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path


def registered(package: str, variable: str) -> Iterator[tuple[str, str]]:
    """Every (module, function) of a package, at any depth, that stands under ``@variable.register(...)``."""
    decorated = re.compile(rf"^@{variable}\.register\(.*?^def (\w+)", re.MULTILINE | re.DOTALL)
    index = _path(package)
    if index is None or index.name != "__init__.py":
        return
    for path in sorted(index.parent.rglob("*.py")):
        parts = path.relative_to(index.parent).with_suffix("").parts
        module = ".".join([package, *(part for part in parts if part != "__init__")])
        for match in decorated.finditer(path.read_text(encoding="utf-8")):
            yield module, match[1]


def docstring_line(module: str, name: str) -> str:
    """The first line of the docstring of a function or class; empty if it has none."""
    path = _path(module)
    for node in ast.walk(_parsed(path)) if path is not None else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def file_of(module: str) -> str:
    """The path of a module's file as it reads in its distribution, ``registry/models/__init__.py``."""
    path = _path(module)
    is_package = path is not None and path.name == "__init__.py"
    return module.replace(".", "/") + ("/__init__.py" if is_package else ".py")


def _path(module: str) -> Path | None:
    """Where a module's source lies; found from its top package, as the import system would import all above it."""
    top, *below = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    if not below and spec.origin is not None:
        return Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        for path in (Path(folder, *below, "__init__.py"), Path(folder, *below[:-1], f"{below[-1]}.py")):
            if path.is_file():
                return path
    return None


@functools.cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
