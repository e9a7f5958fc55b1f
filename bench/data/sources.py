"""The index of data sources: a new one is a folder and a line here, an entry point, or ``package.module:Source``.

An entry is a builder that returns a `bench.data.source.Source`; what it takes is declared once, as `Option` data::

    @sources.register(options=OPTIONS)
    def mine(**values: Any) -> Source:
        '''What it shows, in a line.'''
        return Mine(**values)
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError
from bench.core.progress import Progress
from bench.data.options import REQUIRED, Option, read_options
from registry.registry import Entry, Registry, parse_key

if TYPE_CHECKING:
    from bench.data.source import Source

sources: Registry[Source] = Registry(
    "data source",
    "bench list sources",
    group="maskdepth_bench.sources",
    index="bench.data.sources:sources",
    makes="bench.data.source:Source",
)
"""All sources by kind."""

BUILT_IN: dict[str, str] = {
    "synthetic": "bench.data.synthetic",
    "composed": "bench.data.composed",
    "stored": "bench.data.stored",
}
"""Sources of this package and their folders; each has ``options.py`` with ``OPTIONS``, and ``source.py``."""

for _kind, _folder in BUILT_IN.items():
    sources.lazy(f"{_folder}.source", _kind)


def declared(kind: str) -> tuple[Option, ...]:
    """The options that a built-in source declares; reads no more than its ``options.py``."""
    options: tuple[Option, ...] = importlib.import_module(f"{BUILT_IN[kind]}.options").OPTIONS
    return options


def options_of(entry: Entry[Source]) -> tuple[Option, ...]:
    """What a source takes: as it declares, else as the signature of its builder says."""
    options: Sequence[Option] | None = entry.facts.get("options")
    if options is None:
        options = getattr(entry.build, "OPTIONS", None)
    return tuple(options) if options is not None else tuple(_from_signature(entry))


def open_source(kind: str, progress: Progress | None = None, /, **given: Any) -> Source:
    """The source of that kind.

    Args:
        kind: a key of `sources`, or ``package.module:Source``; options may stand in brackets.
        progress: called while a source whose entry says ``reports_progress`` is opened.
        given: its options by name, as values or texts of values.

    Raises:
        UnknownName: no such kind; the message names the nearest.
        RegistryError: a user's own that cannot be built, or builds no `bench.data.source.Source`.
        BenchError: an option it does not take, a value that it cannot have, or a missing value; a user's source whose
            description or depth encoding cannot be used.
        BadData: files that cannot be used.
    """
    name, bracketed = parse_key(kind)
    entry = sources.get(name)
    values = read_options(name, options_of(entry), {**bracketed, **given})
    if progress is not None and entry.facts.get("reports_progress"):
        values["progress"] = progress
    source = sources.make(entry, values)
    if name not in BUILT_IN:
        check_source(source, name)
    return source


def check_source(source: Source, name: str = "") -> None:
    """See that a user's source can be told from every other, and that metric depth of it is known to be metric.

    Args:
        source: opened here, or made by its class itself.
        name: under which it was opened; empty for its class's, of which those of this package pass.

    Raises:
        BenchError: its description is no JSON, or claims the kind of a built-in source; its encoding speaks of metric
            depth in a form that nobody reads.
    """
    made = type(source)
    if not name and made.__module__.startswith("bench."):
        return
    name = name or f"{made.__module__}:{made.__qualname__}"
    _check_description(name, source.describe())
    _check_encoding(name, source)


def _check_description(name: str, description: Mapping[str, Any]) -> None:
    """See that a user's source can be told from every other, whatever process opens it.

    Raises:
        BenchError: its description is no JSON, or claims the kind of a built-in source.
    """
    try:
        json.dumps(description, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BenchError(
            f"data source {name!r}: what describe() returns identifies its results, and is no JSON: {error}"
        ) from error
    kind = description.get("kind")
    if kind in BUILT_IN:
        raise BenchError(
            f"data source {name!r} describes itself as kind {kind!r}, with whose results its own would be mixed: "
            "return a kind of its own from describe()"
        )


def _check_encoding(name: str, source: Source) -> None:
    """See that metric depth of a user's source is known to be metric.

    Raises:
        BenchError: its encoding speaks of metric depth in a form that nobody reads.
    """
    from bench.data.depth_units import encoding_fault

    fault = encoding_fault(source.encoding) if source.has_depth else None
    if fault:
        raise BenchError(f"data source {name!r}: {fault}")


def _from_signature(entry: Entry[Source]) -> list[Option]:
    """The options of a builder that declares none; a parameter without a default is a text."""
    options = []
    for parameter in inspect.signature(entry.build).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = REQUIRED if parameter.default is parameter.empty else parameter.default
        kind = type(default) if isinstance(default, (bool, int, float, Path)) else str
        options.append(Option(parameter.name, kind, default, ""))
    return options
