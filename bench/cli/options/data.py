"""The options that say which data, shared by all commands that read some.

Every built-in source's own options stand among them, from its declaration; those of other sources are given as
``--data-option name=value``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from bench.core.errors import BenchError
from bench.core.visible import visible
from bench.data.options import REQUIRED, Option
from bench.data.sources import BUILT_IN, declared

if TYPE_CHECKING:
    from bench.data.source import Source


def _by_name() -> dict[str, dict[str, Option]]:
    """The options of all built-in sources: name to kind to declaration."""
    found: dict[str, dict[str, Option]] = {}
    for kind in BUILT_IN:
        for option in declared(kind):
            found.setdefault(option.name, {})[kind] = option
    return found


_OPTIONS = _by_name()
_PATIENCE_SECONDS = 2.0
"""How long a source may be opened before its progress is shown."""


def _fields(defaults: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """A field of a dataclass for each option; None where it is not given, as sources have their own defaults."""
    for name, kinds in _OPTIONS.items():
        option = next(iter(kinds.values()))
        info = typer.Option(
            option.spelled,
            help=option_help(kinds, defaults.get(name)),
            metavar=None if option.type is bool else f"<{option.type.__name__.lower()}>",
        )
        kind: Any = bool | None if option.type is bool else list[option.type] | None  # type: ignore[name-defined]
        if option.numbers > 1:
            kind = tuple[(option.type,) * option.numbers] | None  # type: ignore[misc]
            info.metavar = " ".join([f"<{option.type.__name__.lower()}>"] * option.numbers)
        yield name, Annotated[kind, info], field(default=None)


def option_help(kinds: Mapping[str, Option], default: Any) -> str:
    """What an option says and its default, of each of the sources that say something else.

    Args:
        kinds: its declaration by source.
        default: of the command; None for the sources' own.
    """
    texts: dict[str, dict[str, list[str]]] = {}
    for kind, option in kinds.items():
        used = option.default if default is None else default
        shown = "" if used in (None, REQUIRED, False) else str(used)
        texts.setdefault(option.help.removesuffix("."), {}).setdefault(shown, []).append(kind)
    is_everywhere = len(texts) == 1 and len(kinds) == len(BUILT_IN)
    sentences = []
    for text, by_default in texts.items():
        readers = "" if is_everywhere else f" ({', '.join(kind for some in by_default.values() for kind in some)})"
        said = [
            shown if len(by_default) == 1 else f"{shown} ({', '.join(some)})"
            for shown, some in by_default.items()
            if shown
        ]
        sentences.append(f"{text}{readers}." + (f" [default: {', '.join(said)}]" if said else ""))
    return " ".join(sentences)


_Declared: Any = make_dataclass("_Declared", _fields({}), frozen=True)


@dataclass(frozen=True)
class _Kind:
    data: Annotated[str, typer.Option(help="Source (bench list sources) or module:Source.")] = "synthetic"
    data_option: Annotated[
        list[str] | None, typer.Option(metavar="<name=value>", help="Option of your own source; repeatable.")
    ] = None


@dataclass(frozen=True)
class DataOptions(_Declared, _Kind):  # type: ignore[misc]
    """Which source the samples come from, and how."""

    panel: ClassVar[str] = "Data"
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Defaults of this command that differ from the sources' own."""

    def open(self, quiet: bool = False) -> Source:
        """The source that the options describe; its notes and warnings go to standard error, unless ``quiet``.

        Raises:
            BenchError: options that do not go together; BadData: files that cannot be used.
        """
        from bench.data.sources import open_source
        from bench.report.terminal.console import plain_console
        from bench.report.terminal.progress_bar import Bar

        with Bar(plain_console(sys.stderr), after=_PATIENCE_SECONDS) as bar:
            source = open_source(self.data, bar, **self.given())
        doubts = (*source.warnings, *source.mask_warnings, *source.group_warnings)
        for note in () if quiet else (*source.notes, *(f"WARNING: {doubt}" for doubt in doubts)):
            typer.echo(f"data: {visible(note)}", err=True)
        return source

    def given(self) -> dict[str, Any]:
        """The values that were given, for sources that take them, and this command's defaults."""
        given: dict[str, Any] = {}
        for name, kinds in _OPTIONS.items():
            value = getattr(self, name, None)
            if value is None:
                if name in self.defaults and (self.data in kinds or len(kinds) == len(BUILT_IN)):
                    given[name] = self.defaults[name]
                continue
            option = next(iter(kinds.values()))
            if self.data in BUILT_IN and self.data not in kinds:
                readers = " and ".join(f"--data {kind}" for kind in kinds)
                raise BenchError(f"{option.spelled} is read by {readers}, not by --data {self.data}")
            given[name] = _single(option, value)
        for text in self.data_option or []:
            name, equals, value = text.partition("=")
            if not equals or not name.isidentifier():
                raise BenchError(f"cannot read {text!r}: write it as --data-option name=value")
            given[name] = [*given[name], value] if isinstance(given.get(name), list) else value
        return given


def _single(option: Option, value: Any) -> Any:
    """The value of an option, or all values of an option that may be repeated."""
    if option.repeatable or option.numbers > 1 or not isinstance(value, Sequence) or isinstance(value, str):
        return value
    if len(value) > 1:
        raise BenchError(f"{option.spelled} is given {len(value)} times; it takes a single value")
    return value[0]


_StillDeclared: Any = make_dataclass("_StillDeclared", _fields({"camera": "still"}), frozen=True)


@dataclass(frozen=True)
class StillDataOptions(_StillDeclared, DataOptions):  # type: ignore[misc]
    """The same with the camera of the published systems."""

    defaults: ClassVar[Mapping[str, Any]] = {"camera": "still"}


_ToWrite: Any = make_dataclass(
    "_ToWrite", (option for option in _fields({"camera": "still"}) if option[0] != "files"), frozen=True
)


@dataclass(frozen=True)
class DataToWriteOptions(_ToWrite, _Kind):  # type: ignore[misc]
    """The same for a command whose ``--files`` is the layout to write; published layouts have a still camera."""

    panel: ClassVar[str] = "Data"
    defaults: ClassVar[Mapping[str, Any]] = {"camera": "still"}
    open = DataOptions.open
    given = DataOptions.given
