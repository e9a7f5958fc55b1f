"""Every public module, class and function has a docstring, those that lie within a public function too.

What a docstring lists is all there is: parameters under ``Args:``, fields under ``Attributes:``.
"""

from __future__ import annotations

import ast
import re
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
LISTS = '''
def half(a, b, *rest, _own=None):
    """Has one.

    Args:
        a, gone: of two.
    """

class Whole:
    """Has one, with ``low``.

    Attributes:
        x: is one.
        y, z: are two.

    Raises:
        NoField: never.
    """
    kind: ClassVar[str]
    x: int
    y: int
    z: int = 0
    low: float
    w: int
    v: int
    """By itself."""
    _u: int

    def __init__(self, left):
        """Has one.

        Args:
            left: out.
        """
'''
LISTED = re.compile(r"    (\*{0,2}\w+(?:, \*{0,2}\w+)*):(?: |$)")


def missing(node: ast.AST) -> Iterator[str]:
    """Names of the public definitions in a node that have none; what lies in a private one is private."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Definition):
            yield from missing(child)
        elif not child.name.startswith("_"):
            if not ast.get_docstring(child):
                yield child.name
            yield from missing(child)


def listed(docstring: str, title: str) -> set[str] | None:
    """Names that a docstring lists under a title; None where it has no such list."""
    _, found, after = docstring.partition(f"{title}:\n")
    if not found:
        return None
    lines = re.split(r"\n(?=\S)", after)[0].splitlines()
    matches = [match for line in lines if (match := LISTED.match(line))]
    return {name.lstrip("*") for match in matches for name in match[1].split(", ")}


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Names of a function's public parameters."""
    given = function.args
    stars = [star for star in (given.vararg, given.kwarg) if star]
    names = [each.arg for each in [*given.posonlyargs, *given.args, *given.kwonlyargs, *stars]]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def fields(node: ast.ClassDef) -> list[str]:
    """Names of a class's public fields, but for those that have a docstring of their own."""
    after = [*node.body[1:], None]
    return [
        child.target.id
        for child, then in zip(node.body, after, strict=True)
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name)
        if not child.target.id.startswith("_") and "ClassVar" not in ast.unparse(child.annotation)
        if not (isinstance(then, ast.Expr) and isinstance(then.value, ast.Constant))
    ]


def unlisted(tree: ast.AST) -> Iterator[str]:
    """Parameters and fields that a list lacks, as ``definition.name``, and parameters that it has beside those."""
    for node in ast.walk(tree):
        if not isinstance(node, Definition):
            continue
        docstring = ast.get_docstring(node) or ""
        arguments, attributes = (listed(docstring, title) for title in ("Args", "Attributes"))
        if isinstance(node, ast.ClassDef):
            made = next((child for child in node.body if getattr(child, "name", "") == "__init__"), None)
            taken = parameters(made) if isinstance(made, ast.FunctionDef) else fields(node)
            wanted = taken if arguments is not None else fields(node) if attributes is not None else []
        else:
            taken = parameters(node)
            wanted = taken if arguments is not None else []
        for name in wanted:
            if name not in (arguments or set()) | (attributes or set()) and f"``{name}``" not in docstring:
                yield f"{node.name}.{name}"
        if not getattr(node, "bases", []) or taken:
            yield from (f"{node.name}: no {name}" for name in sorted((arguments or set()) - set(taken)))


def test_it_finds_what_is_not_listed() -> None:
    assert list(unlisted(ast.parse(LISTS))) == ["half.b", "half.rest", "half: no gone", "Whole.w"]


def test_it_finds_those_without() -> None:
    assert list(missing(ast.parse(FAULTY))) == ["plain", "inner", "Local", "method"]


@pytest.mark.parametrize("package", ["bench", "registry", "examples"])
def test_every_public_name_has_one(package: str) -> None:
    trees = {path: ast.parse(path.read_text()) for path in sorted((ROOT / package).rglob("*.py"))}
    assert [path for path, tree in trees.items() if not ast.get_docstring(tree)] == []
    found = [f"{path.relative_to(ROOT)}: {name}" for path, tree in trees.items() for name in missing(tree)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", ["bench", "registry", "examples"])
def test_every_list_is_whole(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    found = [f"{path.relative_to(ROOT)}: {name}" for path in paths for name in unlisted(ast.parse(path.read_text()))]
    assert not found, "\n".join(found)
