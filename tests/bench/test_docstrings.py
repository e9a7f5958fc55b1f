"""Every public module, class and function has a docstring, those that lie within a public function too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FAULTY = '''"""A module."""

def plain():
    pass

def outer():
    """Has one."""
    def inner():
        pass
    if outer:
        class Local:
            pass
    def _inner():
        def deep(): pass

class _Hidden:
    def method(self): pass

class Shown:
    """Has one."""
    async def method(self): pass
    def __len__(self): pass
'''


def missing(node: ast.AST) -> Iterator[str]:
    """Names of the public definitions in a node that have none; what lies in a private one is private."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Definition):
            yield from missing(child)
        elif not child.name.startswith("_"):
            if not ast.get_docstring(child):
                yield child.name
            yield from missing(child)


def test_it_finds_those_without() -> None:
    assert list(missing(ast.parse(FAULTY))) == ["plain", "inner", "Local", "method"]


@pytest.mark.parametrize("package", ["bench", "registry", "examples"])
def test_every_public_name_has_one(package: str) -> None:
    trees = {path: ast.parse(path.read_text()) for path in sorted((ROOT / package).rglob("*.py"))}
    assert [path for path, tree in trees.items() if not ast.get_docstring(tree)] == []
    found = [f"{path.relative_to(ROOT)}: {name}" for path, tree in trees.items() for name in missing(tree)]
    assert not found, "\n".join(found)
