"""The user's own groups: a text file beside the data that says which names are of one background, or one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from bench.core.amount import amount
from bench.core.errors import BadData
from bench.data.stored.files.roots import SUFFIXES, File, Roots, Unreadable
from bench.data.stored.naming.patterns import normal

TABLE = "groups.txt"
"""A pool, a name and its group, between tabs, a line each; lines that begin with # are comments."""
OWN_GROUP = "="
"""Before the name of a group of the user's, to keep it apart from the names that are grouped."""
_POOLS = {"bg": "bg", "background": "bg", "fg": "fg", "object": "fg"}
_SHOWN = 3
_FORM = "a line is bg or fg, a name and its group, with tabs between: bg<TAB>IMG_0001<TAB>kitchen"


def spellings(name: str) -> Iterator[str]:
    """What a user may write for a name: it, it without its suffix, and either without folders."""
    path = PurePosixPath(name)
    yield name
    yield str(path)
    yield path.name
    if path.suffix.lower() in SUFFIXES:
        yield name[: -len(path.suffix)]
        yield path.stem


class GroupTable:
    """What the tables beside the data say.

    Args:
        roots: with the tables.

    Raises:
        BadData: a table that cannot be read; every line that says nothing, or another thing than one before it.
    """

    def __init__(self, roots: Roots) -> None:
        self._said: dict[str, dict[str, str]] = {"bg": {}, "fg": {}}
        self._lines: dict[tuple[str, str], str] = {}
        problems: list[tuple[str, str]] = []
        for file in roots.files:
            if file.basename == TABLE:
                problems += self._read(roots, file)
        if problems:
            more = f"; {len(problems) - _SHOWN:,} lines more" if len(problems) > _SHOWN else ""
            raise BadData(problems[:_SHOWN], _FORM + more)
        self._loose = {pool: _by_normal(said) for pool, said in self._said.items()}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def groups(self, pool: str) -> bool:
        """Whether it says anything of ``bg`` or ``fg``."""
        return bool(self._said[pool])

    def find(self, pool: str, names: Iterable[str]) -> str | None:
        """The group of the first of some names that the table has, in any spelling; None where it has none."""
        for name in names:
            key = self._key(pool, name)
            if key is not None:
                return f"{OWN_GROUP}{self._said[pool][key]}"
        return None

    def check(self, names: Iterable[tuple[str, str]]) -> str:
        """What the table says of names that the data does not have, in a sentence; empty where it has all.

        Args:
            names: pool and name of all that could be grouped.

        Raises:
            BadData: the data has none of its names.
        """
        left, examples = set(self._lines), dict[str, None]()
        for pool, name in names:
            key = self._key(pool, name)
            if key is not None:
                left.discard((pool, key))
            elif len(examples) < _SHOWN:
                examples[name] = None
        if not left:
            return ""
        some = [
            (where, f"no {pool} of this name in the data: {name}")
            for (pool, name), where in self._lines.items()
            if (pool, name) in left
        ]
        shown = ", ".join(examples)
        if len(left) == len(self._lines):
            raise BadData(some[:_SHOWN], f"{TABLE} has no name that the data has; it has {shown} ...")
        where, reason = some[0]
        return f"{len(left):,} of {len(self._lines):,} names of {TABLE} change nothing ({where}: {reason})"

    def _key(self, pool: str, name: str) -> str | None:
        if name in self._said[pool]:
            return name
        return self._loose[pool].get(normal(name))

    def _read(self, roots: Roots, file: File) -> Iterator[tuple[str, str]]:
        """The lines that say nothing, each with its reason."""
        try:
            text = roots.read(file).decode("utf-8-sig")
        except (Unreadable, UnicodeDecodeError) as error:
            yield roots.label(file), f"cannot be read: {error}"
            return
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            where, cells = f"{roots.label(file)}, line {number}", [cell.strip() for cell in line.strip().split("\t")]
            pool = _POOLS.get(cells[0].lower(), "")
            if len(cells) == 3 and not all(cells):
                yield where, f"an empty column: {line.strip()!r}"
            elif len(cells) != 3:
                yield where, f"{amount(len(cells), 'column')}, not 3: {line.strip()!r}"
            elif not pool:
                yield where, f"{cells[0]!r} is neither bg nor fg"
            elif self._said[pool].setdefault(cells[1], cells[2]) != cells[2]:
                yield where, f"{cells[1]} is of {self._said[pool][cells[1]]} already, not of {cells[2]}"
            else:
                self._lines.setdefault((pool, cells[1]), where)


def has_table(roots: Roots) -> bool:
    """Whether a user's file beside the data decides groups."""
    return any(file.basename == TABLE for file in roots.files)


def _by_normal(said: dict[str, str]) -> dict[str, str]:
    """Names by their normal spelling, where no two of different groups have the same."""
    found: dict[str, str] = {}
    for name in said:
        found.setdefault(normal(name), name)
    doubtful = {normal(name) for name, group in said.items() if said[found[normal(name)]] != group}
    return {key: name for key, name in found.items() if key not in doubtful}
