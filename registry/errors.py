"""Errors of the registries: names, parameters and recipes that a user gave."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class Portable(Exception):
    """Base of errors that may cross processes: pickling keeps message and attributes, whatever a constructor takes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[Portable], args: tuple[object, ...], state: Mapping[str, object]) -> Portable:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class RegistryError(Portable):
    """Something requested by name is not available; the message says what it is and what to do."""


class UnknownName(RegistryError):
    """A name without an entry.

    The message names the nearest entries and the command that lists them all.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str) -> None:
        self.name = name
        names = sorted(known)
        bracketed = [each for each in names if each.partition("[")[0] == name]  # it with parameters
        near = list(dict.fromkeys([*bracketed, *difflib.get_close_matches(name, names, n=3, cutoff=0.5)]))[:3]
        hint = f"; did you mean {' or '.join(near)}?" if near else "."
        super().__init__(f"unknown {kind} {name!r}{hint} See all with: {where}")


class BadParameter(RegistryError):
    """A parameter in brackets that the entry does not take, or a value of the wrong type."""


class DuplicateName(RegistryError):
    """Two entries under the same name."""


class ContractError(RegistryError):
    """A model or a term whose result breaks its contract; the message says what it returned."""


class RecipeSyntax(RegistryError):
    """A recipe that does not parse; the message shows the text with a caret under the place."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        self.position = position
        super().__init__(f"{reason}\n  {text}\n  {' ' * position}^")
