"""A generic, typed, lazy registry for every kind of thing that is looked up by name.

Listing names imports nothing. A builder's module is imported when its entry is first needed, and its
``@register`` decorator fills in the facts. A key takes parameters in brackets, ``twin_unet[width=32]``.

A name is one of: a builder registered here; a value added as data; a member of a family (``smp/unet/resnet34``); an
entry point of another distribution; or a user's own ``package.module:attribute``.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar

from registry.errors import DuplicateName, Portable, RegistryError, UnknownName
from registry.lookup.entry import Entry
from registry.lookup.entry_points import EntryPoints
from registry.lookup.imports import described, find_attribute, import_module
from registry.lookup.index import Index
from registry.lookup.keys import format_key, parse_key
from registry.lookup.source_text import docstring_line
from registry.ranges import Range

__all__ = ["Entry", "Registry", "format_key", "parse_key"]

T = TypeVar("T")
P = ParamSpec("P")


class Registry(Generic[T]):
    """Names to builders of ``T``.

    Args:
        kind: what an entry is, in the singular; used in messages.
        where: the command that lists all entries; used in messages.
        group: the entry-point group in which other distributions offer theirs.
        index: where this registry stands, ``"package.module:variable"``. Modules of that package must be announced
            there by `lazy`; what any other module registers is called ``module:function``, whoever imports it.
        inputs: names of the first arguments of every entry where these are its input: such entries are not built.
        values: the type of entries that are data; a user's own attribute of that type stands for itself.
        makes: the type, ``"module:class"``, of what a user's own builder must return; empty for any.
    """

    def __init__(
        self,
        kind: str,
        where: str,
        group: str | None = None,
        index: str | None = None,
        inputs: tuple[str, ...] = (),
        values: type[T] | None = None,
        makes: str = "",
    ) -> None:
        self.kind = kind
        self.where = where
        self._group = group
        self._index = Index(index) if index else None
        self._inputs = inputs
        self._values = values
        self._makes = makes
        self._entries: dict[str, Entry[T]] = {}
        self._made: dict[str, Entry[T]] = {}  # of families and of users: found again, but not listed
        self._modules: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._families: dict[str, str] = {}
        self._members: dict[str, str] = {}
        self._points = EntryPoints(group)

    def lazy(self, module: str, *names: str) -> None:
        """Announce that importing ``module`` registers ``names``."""
        for name in names:
            self._refuse_duplicate(name)
            self._modules[name] = module

    def family(self, prefix: str, factory: str, members: str = "") -> None:
        """Announce that every key that starts with ``prefix`` is made by ``factory`` (``"module:function"``).

        The factory gets the rest of the name and returns the entry. ``members`` (``"module:function"``) gives the
        rests of all names, for wildcards; a family without it is never listed.
        """
        self._families[prefix] = factory
        if members:
            self._members[prefix] = members

    def alias(self, alias: str, name: str) -> None:
        """Give an entry a second name."""
        self._refuse_duplicate(alias)
        self._aliases[alias] = name

    def register(
        self, ranges: Mapping[str, Range] | None = None, **facts: Any
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Decorate a builder: its function name becomes its key, ``ranges`` and ``facts`` are kept beside it.

        Raises:
            DuplicateName: another builder has that name already.
            RegistryError: the index does not announce it, or a range is of no parameter or leaves its default out.
        """

        def keep(build: Callable[P, T]) -> Callable[P, T]:
            """Register a builder under its own name, and give it back as it is."""
            entry = Entry(build.__name__, build, facts, ranges or {}, self._inputs)
            entry.check_ranges(self.kind)
            if self._index is None or self._index.owns(build.__module__):
                self._keep_own(entry)
            else:
                name = f"{build.__module__}:{build.__qualname__}"
                self._made[name] = Entry(name, build, facts, ranges or {}, self._inputs)
            return build

        return keep

    def add(self, name: str, value: T, about: str = "", **facts: Any) -> T:
        """Register a value that is data and needs no builder, with a summary of it in a line.

        Raises:
            DuplicateName: another entry has that name.
        """
        self._refuse_duplicate(name)
        self._entries[name] = Entry(name, lambda: value, facts, about=about)
        return value

    def names(self, pattern: str = "*") -> list[str]:
        """All names that match a shell wildcard, in alphabetical order; imports nothing."""
        known = {*self._entries, *self._modules, *self._points.names()}
        return sorted(name for name in known if fnmatch.fnmatchcase(name, pattern))

    def module(self, name: str) -> str | None:
        """The module that provides a name, as far as that is known without importing anything."""
        if name in self._modules:
            return self._modules[name]
        if name in self._entries:
            return self._entries[name].build.__module__
        return self._points.module(name)

    def summary(self, name: str) -> str:
        """A summary of a listed name in a line; read from the source if its module was not imported yet."""
        if name in self._entries:
            return self._entries[name].summary
        if name in self._modules:
            return docstring_line(self._modules[name], name)
        return self._points.summary(name)

    def families(self) -> list[str]:
        """The prefixes under which entries are made on demand."""
        return sorted(self._families)

    def members(self, prefix: str) -> list[str]:
        """The full names of a family, as far as it lists them; imports what lists them."""
        if prefix not in self._members:
            return []
        return [prefix + rest for rest in find_attribute(self._members[prefix], f"{self.kind} {prefix}")()]

    def missing_lines(self) -> list[str]:
        """What the index lacks: each line as it should read, with its file; found without importing anything."""
        return self._index.missing_lines(self._modules) if self._index is not None else []

    def get(self, name: str) -> Entry[T]:
        """The entry of that name, alias, family member or ``package.module:function``.

        Raises:
            UnknownName: no entry has that name; the nearest names are in the message.
            RegistryError: what provides it cannot be imported.
        """
        name = self._aliases.get(name, name)
        if name not in self._entries and name not in self._made:
            self._materialise(name)
        return self._entries.get(name) or self._made[name]

    def resolve(self, key: str) -> tuple[Entry[T], dict[str, Any]]:
        """The entry that a key names and the key's parameters: names, types, choices and ranges checked.

        Raises:
            UnknownName: as `get`.
            BadParameter: a parameter that the entry does not take, a value it cannot have, or a missing value.
        """
        name, params = parse_key(key)
        entry = self.get(name)
        return entry, entry.checked(self.kind, params)

    def canonical(self, key: str) -> str:
        """The canonical spelling of a key: aliases resolved, parameters sorted, those at their defaults left out."""
        entry, params = self.resolve(key)
        takes = entry.parameters
        return format_key(entry.name, {k: v for k, v in params.items() if k not in takes or takes[k] != v})

    def build(self, key: str) -> T:
        """Build what a key names.

        Raises:
            UnknownName, BadParameter: as `resolve`.
            RegistryError: as `make`.
        """
        entry, params = self.resolve(key)
        return self.make(entry, params, key)

    def make(self, entry: Entry[T], params: Mapping[str, Any], key: str = "") -> T:
        """What an entry builds of its parameters.

        Args:
            entry: of this registry.
            params: by name, as the builder takes them.
            key: what messages call it; its name if empty.

        Raises:
            RegistryError: the builder ended the program; a user's own raised something, or built what is no such thing.
        """
        what = f"{self.kind} {(key or entry.name)!r}"
        is_own = ":" in entry.name or self._points.module(entry.name) is not None
        try:
            built = entry.build(**params)
        except Portable:
            raise
        except SystemExit as error:
            raise RegistryError(f"{what} ended the program ({error!r}) while it was built") from error
        except Exception as error:
            if not is_own:
                raise
            raise RegistryError(f"{what} cannot be built: {described(error)}") from error
        if is_own and self._makes and not isinstance(built, find_attribute(self._makes, what)):
            wanted = self._makes.replace(":", ".")
            raise RegistryError(f"{what} builds an object of type {type(built).__name__}, not a {wanted}")
        return built

    def _keep_own(self, entry: Entry[T]) -> None:
        name, module = entry.name, entry.build.__module__
        announced = self._modules.get(name)
        if name in self._entries or (announced is not None and announced != module) or name in self._aliases:
            raise DuplicateName(f"there is already a {self.kind} {name!r}; choose another name")
        if self._index is not None and announced is None and module != self._index.module:
            raise RegistryError(f"{module} registers the {self.kind} {name!r}, but {self._index.lacks(module, name)}")
        self._entries[name] = entry

    def _refuse_duplicate(self, name: str) -> None:
        if name in self._entries or name in self._modules or name in self._aliases:
            raise DuplicateName(f"there is already a {self.kind} {name!r}; choose another name")

    def _materialise(self, name: str) -> None:
        """Import what provides ``name`` and leave its entry in ``_entries`` or ``_made``."""
        purpose = f"{self.kind} {name!r}"
        if name in self._modules:
            import_module(self._modules[name], purpose)
            if name not in self._entries:
                raise RegistryError(f"{self._modules[name]} was to register the {purpose} and did not")
            return
        for prefix, factory in self._families.items():
            if name.startswith(prefix):
                self._made[name] = find_attribute(factory, purpose)(name[len(prefix) :])
                return
        if path := self._points.path(name, purpose):
            self._made[name] = self._entry_of(name, find_attribute(path, purpose))
            return
        if ":" in name:
            found = find_attribute(name, purpose)
            self._made[name] = self._entry_of(name, found)
            return
        forgotten = [line for line in self.missing_lines() if f'"{name}"' in line]
        if forgotten:
            raise RegistryError(f"no {purpose} can be found: {forgotten[0]}")
        raise UnknownName(self.kind, name, {*self.names(), *self._aliases}, self.where)

    def _entry_of(self, name: str, found: Any) -> Entry[T]:
        """The entry of an object that was imported; with its facts and ranges, if its module registered it."""
        if self._values is not None and isinstance(found, self._values):
            value: T = found
            return Entry(name, lambda: value)
        if not callable(found):
            article = "an" if self.kind[0] in "aeiou" else "a"
            raise RegistryError(
                f"{name!r} is of type {type(found).__name__}, not a function that builds {article} {self.kind}"
            )
        known = next((e for e in (*self._made.values(), *self._entries.values()) if e.build is found), None)
        if known is not None:
            return Entry(name, found, known.facts, known.ranges, self._inputs)
        return Entry(name, found, inputs=self._inputs)
