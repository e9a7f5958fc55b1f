"""Reads the imports of the project from its text: which room imports which, what runs upward, how long the chains are.

``python -m bench.devtools.rooms`` prints it for the working tree.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOMS = (
    "registry", "core", "data", "metrics", "timing", "train", "results", "audit", "profile", "run", "report",
    "reproduce", "devtools", "cli",
)  # fmt: skip
"""From the ground up: a room imports those before it. `registry` is a package of its own below ``bench``."""

LONG = 250
"""Lines above which a file is named by the report."""
_PACKAGES = ("registry", "bench")


@dataclass(frozen=True, order=True)
class Import:
    """One import of a module of this project: where it stands, and what it imports."""

    path: str
    line: int
    importer: str
    imported: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.importer} imports {self.imported}"


def room(module: str) -> str | None:
    """The room of a module, None for ``bench`` itself and ``bench.__main__``."""
    first, _, rest = module.partition(".")
    if first == "registry":
        return first
    name = rest.partition(".")[0]
    return name if name in ROOMS else None


@dataclass(frozen=True)
class House:
    """The packages ``bench`` and ``registry`` below a folder, as their text has them; nothing is imported.

    Attributes:
        root: the folder that holds both packages.
    """

    root: Path

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Every module by its dotted name."""
        paths = [path for package in _PACKAGES for path in sorted((self.root / package).rglob("*.py"))]
        return {_dotted(path.relative_to(self.root)): path for path in paths}

    @cached_property
    def imports(self) -> list[Import]:
        """Every import between modules of the project, those in functions and for type checkers alone too."""
        return sorted(each for module, path in self.modules.items() for each in self._imports(module, path))

    def upward(self) -> list[Import]:
        """Imports of a room that comes later in `ROOMS`."""
        return [each for each in self._between_rooms() if _floor(each.imported) > _floor(each.importer)]

    def private(self) -> list[Import]:
        """Imports of a module with a leading underscore from outside its own package."""
        return [each for each in self.imports if _is_private(each)]

    def loose(self) -> list[str]:
        """Modules of ``bench`` that lie in no room."""
        return [m for m in self.modules if m.startswith("bench.") and room(m) is None and m != "bench.__main__"]

    def edges(self) -> dict[str, set[str]]:
        """Which rooms each room imports."""
        found: dict[str, set[str]] = {name: set() for name in ROOMS}
        for each in self._between_rooms():
            found[str(room(each.importer))].add(str(room(each.imported)))
        return found

    def cycle(self) -> list[str]:
        """Rooms that import each other in a circle, the first again at the end; empty without such a circle."""
        edges, done = self.edges(), set[str]()

        def walk(path: list[str]) -> list[str]:
            """A circle that a path of imports runs into; empty if there is none."""
            if path[-1] in path[:-1]:
                return path[path.index(path[-1]) :]
            for name in sorted(edges[path[-1]] - done):
                circle = walk([*path, name])
                if circle:
                    return circle
            done.add(path[-1])
            return []

        return next(filter(None, (walk([name]) for name in ROOMS)), [])

    def longest_chain(self) -> list[str]:
        """The longest chain of rooms in which each imports the next.

        Raises:
            ValueError: rooms import each other in a circle.
        """
        if self.cycle():
            raise ValueError(f"rooms import each other: {' -> '.join(self.cycle())}")
        edges, chains = self.edges(), dict[str, list[str]]()

        def chain(name: str) -> list[str]:
            """The longest chain of imports that begins in a room."""
            if name not in chains:
                chains[name] = [name, *max((chain(other) for other in sorted(edges[name])), key=len, default=[])]
            return chains[name]

        return max((chain(name) for name in ROOMS), key=len)

    def lines(self) -> dict[str, int]:
        """Lines of every file, by its path below the root."""
        return {str(path.relative_to(self.root)): len(path.read_text().splitlines()) for path in self.modules.values()}

    def _between_rooms(self) -> list[Import]:
        rooms = [(each, room(each.importer), room(each.imported)) for each in self.imports]
        return [each for each, a, b in rooms if a is not None and b is not None and a != b]

    def _imports(self, module: str, path: Path) -> Iterator[Import]:
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            for name in self._imported(module, path, node):
                yield Import(str(path.relative_to(self.root)), node.lineno, module, name)  # type: ignore[attr-defined]

    def _imported(self, module: str, path: Path, node: ast.AST) -> Iterable[str]:
        """The modules of this project that a statement imports."""
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names if alias.name in self.modules]
        if not isinstance(node, ast.ImportFrom):
            return []
        base = node.module or ""
        if node.level:
            package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
        if base not in self.modules:
            return []
        below = [name if (name := f"{base}.{alias.name}") in self.modules else base for alias in node.names]
        return list(dict.fromkeys(below))


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _floor(module: str) -> int:
    return ROOMS.index(str(room(module)))


def _is_private(each: Import) -> bool:
    package, _, name = each.imported.rpartition(".")
    inside = f"{each.importer}.".startswith(f"{package}.")
    return name.startswith("_") and name != "__main__" and not inside


def report(house: House) -> str:
    """Rooms with what they import, the longest chain, what runs upward, lines, and long files; as text."""
    edges, lines = house.edges(), house.lines()
    width = max(map(len, ROOMS))
    rows = [f"{name:{width}}  {' '.join(sorted(edges[name], key=ROOMS.index))}" for name in ROOMS]
    chain = [] if house.cycle() else house.longest_chain()
    upward = house.upward()
    long = sorted(((count, path) for path, count in lines.items() if count > LONG), reverse=True)
    return "\n".join(
        [
            *rows,
            "",
            f"longest chain, {len(chain)} rooms: {' -> '.join(chain)}" if chain else f"cycle: {house.cycle()}",
            f"upward imports: {len(upward)}",
            *(f"  {each}" for each in upward),
            f"loose modules: {' '.join(house.loose()) or 'none'}",
            f"{sum(lines.values()):,} lines in {len(lines)} files; {len(long)} over {LONG} lines",
            *(f"  {count:4} {path}" for count, path in long),
        ]
    )


if __name__ == "__main__":
    print(report(House(Path(__file__).parents[2])))
