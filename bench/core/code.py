"""Which code a run was made by: a hash over files, those of the user's plug-ins and their imports included.

Everything is found from text, without importing or building anything: the same from the command, a script or a test.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

_OWN = re.compile(r"([A-Za-z_][\w.]*):[A-Za-z_]")
_WORD = re.compile(r"[A-Za-z_][\w./-]*")
_GROUPS = "maskdepth_bench."
_PROJECT = ("bench", "registry")
_INSTALLED = tuple({Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib")})


@cache
def code_version(*names: str) -> str:
    """Twelve hex digits over the code: two runs with the same ran the same.

    Versions of installed packages are not in it: they stand in a record's environment.

    Args:
        names: whatever may name a plug-in: model keys, recipes, metrics. The module of a ``module:attribute``, or of
            an entry point of another distribution, counts, and so does all that it imports outside of the standard
            library and of installed packages.
    """
    return _version(own_code(*names))


@cache
def _version(plugins: str) -> str:
    """Twelve hex digits over this project's files, beginning with those of the plug-ins' files."""
    digest = hashlib.sha256(plugins.encode())
    top = Path(__file__).parents[2]
    for package in _PROJECT:
        for path in sorted((top / package).rglob("*.py")):
            digest.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def own_code(*names: str) -> str:
    """Twelve hex digits over the plug-ins' part of `code_version` alone; "" where these names have none."""
    files = plugin_files(*names)
    digest = hashlib.sha256()
    for module, path in files.items():
        digest.update(module.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12] if files else ""


def plugin_files(*names: str) -> dict[str, Path]:
    """The files of plug-ins in these names, and of what they import, by module, in alphabetical order."""
    found: dict[str, Path] = {}
    waiting = [module for name in names for module in _OWN.findall(name)]
    own = {point.module.partition(".")[0] for point in _entry_points(names)}
    waiting += [point.module for point in _entry_points(names)]
    while waiting:
        module = waiting.pop()
        package, _, _ = module.partition(".")
        if module in found or package in sys.stdlib_module_names or package in _PROJECT:
            continue
        path = _file_of(module)
        if path is None or (package not in own and _is_installed(path)):
            continue
        found[module] = path
        waiting += _imported(module, path)
    return dict(sorted(found.items()))


def plugin_distributions(*names: str) -> dict[str, str]:
    """Distributions whose entry points these names use, with their versions."""
    found = (point.dist for point in _entry_points(names))
    return {dist.name: dist.version for dist in found if dist is not None}


def _entry_points(names: tuple[str, ...]) -> list[metadata.EntryPoint]:
    words = {word for name in names for word in _WORD.findall(name)}
    return [point for point in _all_entry_points() if point.name in words]


@cache
def _all_entry_points() -> list[metadata.EntryPoint]:
    groups = [group for group in metadata.entry_points().groups if group.startswith(_GROUPS)]
    return [point for group in groups for point in metadata.entry_points(group=group)]


def _file_of(module: str) -> Path | None:
    """A module's source by its name, along `sys.path`; nothing is imported, packages above it neither."""
    spec: ModuleSpec | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        where = None if spec is None else spec.submodule_search_locations
        if spec is not None and where is None:
            return None
        spec = PathFinder.find_spec(name, None if where is None else list(where))
        if spec is None:
            loaded = getattr(sys.modules.get(module), "__file__", None)  # of another finder, or of none
            return Path(loaded) if loaded and loaded.endswith(".py") else None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _is_installed(path: Path) -> bool:
    return any(path.resolve().is_relative_to(folder) for folder in _INSTALLED)


def _imported(module: str, path: Path) -> Iterator[str]:
    """Names that may be modules in the imports of a file, at its top or within functions, and the packages above it."""
    above = module.split(".")[:-1]
    yield from (".".join(above[: end + 1]) for end in range(len(above)))
    package = module if path.name == "__init__.py" else ".".join(above)
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return  # importing it reports what is wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*filter(None, parts), *filter(None, [node.module])])
            if base:
                yield from _with_parents(base)
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
