"""One generic, typed, lazy registry: names to builders, with facts beside them.

Listing names imports nothing. A builder's module is imported when its entry is first asked for, and its
``@register`` decorator fills in the facts. A key takes parameters in brackets, ``twin_unet[width=32]``.
"""

from __future__ import annotations

import ast
import fnmatch
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Generic, ParamSpec, TypeVar

from registry.errors import BadParameter, DuplicateName, RegistryError, UnknownName

T = TypeVar("T")
P = ParamSpec("P")

_KEY = re.compile(r"^(?P<name>[^\[\]]+)(?:\[(?P<params>[^\[\]]*)\])?$")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A builder under its name, and what is known about it as data.

    ``facts`` are what the decorator was given (published parameter count, stride, source ...); tests and
    tables read them.
    """

    name: str
    build: Callable[..., T]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters the builder takes, each with its default (``inspect.Parameter.empty`` if it has none)."""
        return {
            p.name: p.default
            for p in inspect.signature(self.build).parameters.values()
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        }

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.build) or "").partition("\n")[0]


def parse_key(key: str) -> tuple[str, dict[str, Any]]:
    """Split ``name[a=1,b=true]`` into its name and its parameters.

    Values are read as Python literals; ``true``, ``false`` and ``none`` in any case too; else they are text.

    Raises:
        BadParameter: the brackets do not close, or a parameter is not ``name=value``.
    """
    match = _KEY.match(key.strip())
    if match is None:
        raise BadParameter(f"cannot read {key!r}: write it as name or name[parameter=value,...]")
    params: dict[str, Any] = {}
    for item in filter(None, (part.strip() for part in (match["params"] or "").split(","))):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not name.isidentifier() or not value:
            raise BadParameter(f"cannot read {item!r} in {key!r}: write it as parameter=value")
        if name in params:
            raise BadParameter(f"parameter {name!r} is given twice in {key!r}")
        params[name] = _literal(value)
    return match["name"].strip(), params


def format_key(name: str, params: Mapping[str, Any]) -> str:
    """The inverse of `parse_key`, parameters in alphabetical order."""
    if not params:
        return name
    return f"{name}[{','.join(f'{k}={_text(v)}' for k, v in sorted(params.items()))}]"


def _literal(value: str) -> Any:
    constants: dict[str, Any] = {"true": True, "false": False, "none": None}
    if value.lower() in constants:
        return constants[value.lower()]
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _text(value: Any) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else f"{value}"


class Registry(Generic[T]):
    """Names to builders of ``T``.

    Args:
        kind: what an entry is, in the singular; used in messages.
        where: the command that lists all entries; used in messages.
        group: the entry-point group in which other distributions offer theirs.
    """

    def __init__(self, kind: str, where: str, group: str | None = None) -> None:
        self.kind = kind
        self.where = where
        self._group = group
        self._entries: dict[str, Entry[T]] = {}
        self._made: dict[str, Entry[T]] = {}  # of families and of users: found again, but not listed
        self._modules: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._families: dict[str, str] = {}
        self._points: dict[str, metadata.EntryPoint] | None = None

    def lazy(self, module: str, *names: str) -> None:
        """Announce that importing ``module`` registers ``names``."""
        for name in names:
            self._refuse_duplicate(name)
            self._modules[name] = module

    def family(self, prefix: str, factory: str) -> None:
        """Announce that every key that starts with ``prefix`` is made by ``factory`` (``"module:function"``).

        The factory gets the rest of the name and returns the entry.
        """
        self._families[prefix] = factory

    def alias(self, alias: str, name: str) -> None:
        """Give an entry a second name."""
        self._refuse_duplicate(alias)
        self._aliases[alias] = name

    def register(self, **facts: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Decorate a builder: its function name becomes its key, ``facts`` are kept beside it.

        Raises:
            DuplicateName: another builder has that name already.
        """

        def keep(build: Callable[P, T]) -> Callable[P, T]:
            name = build.__name__
            if name in self._entries or self._modules.get(name) != build.__module__:
                self._refuse_duplicate(name)
            self._entries[name] = Entry(name, build, facts)
            return build

        return keep

    def names(self, pattern: str = "*") -> list[str]:
        """All names that match a shell wildcard, in alphabetical order; imports nothing."""
        known = {*self._entries, *self._modules, *self._entry_points()}
        return sorted(name for name in known if fnmatch.fnmatchcase(name, pattern))

    def module(self, name: str) -> str | None:
        """The module that provides a name, as far as that is known without importing anything."""
        if name in self._modules:
            return self._modules[name]
        if name in self._entries:
            return self._entries[name].build.__module__
        point = self._entry_points().get(name)
        return None if point is None else point.module

    def families(self) -> list[str]:
        """The prefixes under which entries are made on demand."""
        return sorted(self._families)

    def get(self, name: str) -> Entry[T]:
        """The entry of that name, alias, family member or ``package.module:function``.

        Raises:
            UnknownName: nothing bears that name; the nearest names are in the message.
        """
        name = self._aliases.get(name, name)
        if name not in self._entries and name not in self._made:
            self._materialise(name)
        return self._entries.get(name) or self._made[name]

    def resolve(self, key: str) -> tuple[Entry[T], dict[str, Any]]:
        """The entry that a key names and the key's parameters, checked against the builder's signature.

        Raises:
            UnknownName: as `get`.
            BadParameter: the builder takes no such parameter, or its default is of another type.
        """
        name, params = parse_key(key)
        entry = self.get(name)
        takes = entry.parameters
        for param, value in params.items():
            if param not in takes:
                offered = ", ".join(takes) or "none"
                raise BadParameter(f"{self.kind} {name!r} takes no parameter {param!r} (it takes: {offered})")
            default = takes[param]
            if isinstance(default, bool | int | float | str) and not _fits(value, default):
                kind = type(default).__name__
                raise BadParameter(
                    f"{self.kind} {name!r}: {param} must be of type {kind} (such as {default}), not {value!r}"
                )
        return entry, params

    def canonical(self, key: str) -> str:
        """The one spelling of a key: aliases resolved, parameters sorted, those at their defaults left out."""
        entry, params = self.resolve(key)
        takes = entry.parameters
        return format_key(entry.name, {k: v for k, v in params.items() if takes[k] != v})

    def build(self, key: str) -> T:
        """Build what a key names.

        Raises:
            UnknownName, BadParameter: as `resolve`.
        """
        entry, params = self.resolve(key)
        return entry.build(**params)

    def _refuse_duplicate(self, name: str) -> None:
        if name in self._entries or name in self._modules or name in self._aliases:
            raise DuplicateName(f"there is a {self.kind} {name!r} already; choose another name")

    def _entry_points(self) -> Mapping[str, metadata.EntryPoint]:
        if self._points is None:
            points: Iterable[metadata.EntryPoint] = metadata.entry_points(group=self._group) if self._group else ()
            self._points = {point.name: point for point in points}
        return self._points

    def _materialise(self, name: str) -> None:
        """Import what provides ``name`` and leave its entry in ``_entries`` or ``_made``."""
        if name in self._modules:
            importlib.import_module(self._modules[name])
            if name not in self._entries:
                raise RegistryError(f"{self._modules[name]} was to register the {self.kind} {name!r} and did not")
            return
        for prefix, factory in self._families.items():
            if name.startswith(prefix):
                module, _, function = factory.partition(":")
                self._made[name] = getattr(importlib.import_module(module), function)(name[len(prefix) :])
                return
        if name in self._entry_points():
            self._made[name] = Entry(name, self._entry_points()[name].load())
            return
        if ":" in name:
            self._made[name] = Entry(name, self._import(name))
            return
        known = {*self.names(), *self._aliases}
        raise UnknownName(self.kind, name, known, self.where)

    def _import(self, name: str) -> Callable[..., T]:
        module, _, attribute = name.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            raise RegistryError(
                f"cannot import {self.kind} {name!r}: {error}. The module must be importable from here "
                "(installed, or in the current folder)"
            ) from error
        except AttributeError as error:
            raise RegistryError(f"module {module!r} has no {attribute!r}, asked for as {self.kind} {name!r}") from error
        if not callable(found):
            raise RegistryError(f"{name!r} is a {type(found).__name__}, not a function that builds a {self.kind}")
        build: Callable[..., T] = found
        return build


def _fits(value: Any, default: bool | int | float | str) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))
