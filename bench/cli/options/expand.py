"""Groups of options that several commands share: written once as a dataclass, spelled out in each command's help.

A command takes a group as a single parameter; `expand` puts the group's options in its place::

    def run(model: ..., budget: BudgetOptions, machine: MachineOptions) -> None: ...
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.models import ParameterInfo

from bench.core import files
from bench.core.errors import BenchError

_PANELS = dict.fromkeys(("results", "runs", "out", "csv", "json", "html", "trace", "picture", "sheet"), "Files")
"""The panel of an option outside any group, by its name; all others are in "What"."""
_TAG, _EMOJI = re.compile(r"\[(?=[a-z])"), re.compile(r":(?=[^\s:]+:)")
"""What may begin markup of rich: the bracket of a tag, and the first colon of an emoji's name."""


def expand(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with every parameter of a dataclass type replaced by the options in it.

    Args:
        command: its other parameters are annotated as typer wants them. A group's class attribute ``panel`` names the
            panel of the help that its options stand in.

    Raises:
        TypeError: two options have the same name.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Callable[..., Any]] = {
        name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)
    }
    spelled: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        given = _options(kind) if is_dataclass(kind) else [_parameter(parameter.name, kind, parameter.default)]
        spelled += [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in given]
    names = [parameter.name for parameter in spelled]
    if len({*names}) != len(names):
        raise TypeError(f"{command.__name__} has two options of the same name: {', '.join(sorted(names))}")

    def call(**values: Any) -> None:
        """Make the groups of their options, and call the command with them."""
        for name, group in groups.items():
            values[name] = group(**{option.name: values.pop(option.name) for option in _options(group)})
        try:
            command(**values)
        except SystemExit as error:  # no command here ends that way; it would look like success
            if isinstance(error.__context__, BrokenPipeError):  # rich ends the program when nobody reads any more
                raise
            from bench.train.failures import describe  # imports torch

            raise BenchError(f"code of a plug-in ended the program: {describe(error)}") from error

    call.__name__, call.__doc__, call.__module__ = command.__name__, command.__doc__, command.__module__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in spelled}
    call.__signature__ = inspect.Signature(spelled)  # type: ignore[attr-defined]
    return call


def _options(group: Any) -> Iterator[inspect.Parameter]:
    """The options of a group, in the order of its fields."""
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        yield _parameter(field.name, hints[field.name], _default(field), getattr(group, "panel", None))


def _parameter(name: str, hint: Any, default: Any, panel: str | None = None) -> inspect.Parameter:
    """An option in the panel of its group, with brackets in its help escaped."""
    kind, *extras = get_args(hint) if get_args(hint) and hasattr(hint, "__metadata__") else (hint,)
    for index, extra in enumerate(extras):
        if isinstance(extra, ParameterInfo):
            extras[index] = info = copy(extra)
            info.help = plain(info.help) if info.help else info.help
            info.rich_help_panel = info.rich_help_panel or panel or _PANELS.get(name, "What")
    annotation = Annotated[(kind, *extras)] if extras else kind
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default


def plain(text: str) -> str:
    """Escape what rich takes for markup in help: the bracket of ``unet[width=64]``, the emoji of ``unet:mask: bce``."""
    return _EMOJI.sub("[none]:[/none]", _TAG.sub(r"\\[", text))


def emit(place: str, text: str) -> None:
    """Write a text to a file, or to standard output where the place is ``-``."""
    if place == "-":
        typer.echo(text, nl=False)
    else:
        files.replace(Path(place), text)
