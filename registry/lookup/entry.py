"""`Entry`: a builder under its name, with its parameters, their types and ranges, and the facts beside it."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from registry.errors import BadParameter, RegistryError
from registry.ranges import Range

T = TypeVar("T")

_EMPTY = inspect.Parameter.empty
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A builder under its name, and what is known about it as data.

    Attributes:
        name: its key.
        build: the builder.
        facts: what the decorator was given (published parameter count, stride, source ...); tests and tables read it.
        ranges: what a parameter's number may be, by the parameter's name.
        inputs: names of the builder's first arguments where these are its input, and no parameters in brackets.
        about: a summary in a line; if empty, the first line of the builder's docstring.
    """

    name: str
    build: Callable[..., T]
    facts: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    about: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters a key can set, each with its default (``inspect.Parameter.empty`` if it has none).

        Raises:
            RegistryError: the builder does not take its input first, or has no signature.
        """
        return {p.name: p.default for p in self.signature() if p.kind in _NAMED}

    @property
    def function(self) -> Callable[..., T]:
        """The function whose signature names the parameters."""
        return self.build

    @property
    def summary(self) -> str:
        """A summary of the entry in a line."""
        return self.about or (inspect.getdoc(self.build) or "").partition("\n")[0]

    def type_of(self, parameter: str) -> Any:
        """The type a parameter is annotated with, else its default's; ``Any`` without either.

        Annotations that cannot be read (imported for type checkers alone, say) count as none.
        """
        found = next((p for p in self.signature() if p.name == parameter), None)
        if found is None:
            return Any
        hint = found.annotation
        if isinstance(hint, str):
            function: Any = self.function
            made = function.__init__ if inspect.isclass(function) else inspect.unwrap(function)
            names = getattr(made, "__globals__", None) or vars(sys.modules.get(made.__module__, typing))
            try:
                hint = typing.get_type_hints(types.SimpleNamespace(__annotations__={"it": hint}), names)["it"]
            except Exception:  # whatever the evaluation of a user's annotation raises
                hint = _EMPTY
        if hint is not _EMPTY:
            return hint
        return type(found.default) if isinstance(found.default, bool | int | float | str) else Any

    def checked(self, kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as the builder takes them, checked: their names, types, choices and ranges.

        Args:
            kind: what the entry is, for messages.
            params: what a key's brackets hold.

        Raises:
            BadParameter: an unknown parameter, a value it cannot have, or a missing value.
        """
        takes = self.parameters
        open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in self.signature())
        for name in params:
            if name not in takes and not open_ended:
                offered = ", ".join(takes) or "none"
                raise BadParameter(f"{kind} {self.name!r} takes no parameter {name!r} (it takes: {offered})")
        missing = [name for name, default in takes.items() if default is _EMPTY and name not in params]
        if missing:
            raise BadParameter(f"{kind} {self.name!r} needs a value for {', '.join(missing)}")
        return {name: self._value(kind, name, value, takes.get(name, _EMPTY)) for name, value in params.items()}

    def check_ranges(self, kind: str) -> None:
        """Check that every range is of a parameter and allows its default.

        Raises:
            RegistryError: a range is of no parameter, or excludes a default.
        """
        takes = self.parameters if self.ranges else {}
        for name, allowed in self.ranges.items():
            if name not in takes:
                raise RegistryError(f"{kind} {self.name!r} has a range for {name!r}, which it does not take")
            default = takes[name]
            if isinstance(default, int | float) and default not in allowed:
                raise RegistryError(f"{kind} {self.name!r}: the default of {name}, {default}, is not {allowed}")

    def signature(self) -> list[inspect.Parameter]:
        """What the builder takes after its input.

        Raises:
            RegistryError: it has no signature, or does not take its input first.
        """
        try:
            parameters = list(inspect.signature(self.function).parameters.values())
        except (TypeError, ValueError) as error:
            raise RegistryError(f"{self.name!r} has no signature that could be read: {error}") from error
        given = [p for p in parameters[: len(self.inputs)] if p.kind in _POSITIONAL]
        if len(given) < len(self.inputs):
            raise RegistryError(f"{self.name!r} must take ({', '.join(self.inputs)}) before its parameters")
        return parameters[len(self.inputs) :]

    def _value(self, kind: str, name: str, value: Any, default: Any) -> Any:
        hint = self.type_of(name)
        if not _fits(value, hint):
            choices = _choices(hint)
            if choices:
                what = f"is one of {', '.join(map(str, choices))}"
            else:
                such = "" if default is _EMPTY or default is None else f" (such as {default})"
                what = f"must be of type {_name(hint)}{such}"
            raise BadParameter(f"{kind} {self.name!r}: {name} {what}, not {value!r}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        allowed = self.ranges.get(name, Range())
        # An integer may be too large to be a float at all.
        if not abs(value) <= sys.float_info.max:
            allowed = Range()
        elif value in allowed:
            return float(value) if hint is float else value
        raise BadParameter(f"{kind} {self.name!r}: {name} must be {allowed}, not {value}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value read from a key is what an annotation asks for; any other annotation fits."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return any(value == option and type(value) is type(option) for option in get_args(hint))
    if hint is None or hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (bool, str):
        return isinstance(value, hint)
    return True


def _choices(hint: Any) -> tuple[Any, ...]:
    options = [hint, *get_args(hint)] if get_origin(hint) in (Union, types.UnionType) else [hint]
    return tuple(choice for option in options if get_origin(option) is Literal for choice in get_args(option))


def _name(hint: Any) -> str:
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_name(option) for option in get_args(hint))
    return "none" if hint is type(None) else getattr(hint, "__name__", str(hint))
