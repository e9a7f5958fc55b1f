"""The registry of loss terms: what a term is, and how its name and its parameters in brackets are bound.

A term is registered with two facts: ``source``, and ``heads``, those whose perfect prediction is its optimum.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from registry.errors import BadParameter, RegistryError
from registry.registry import Entry, Registry, parse_key

if TYPE_CHECKING:
    from torch import Tensor

    from registry.contract import Head, Target

    Term = Callable[[Head, Target], Tensor]
    """A term with its parameters bound: prediction and target (B, 1, H, W) to a scalar."""


class TermEntry(Entry["Tensor"]):
    """A term under its name. ``build`` is the term itself; its first two arguments are no parameters."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters after prediction and target, each with its default.

        Raises:
            RegistryError: the function does not take a prediction and a target first.
        """
        signature = inspect.signature(self.build).parameters.values()
        arguments = [p for p in signature if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if len(arguments) < 2:
            raise RegistryError(f"loss term {self.name!r} must take (prediction, target) before its parameters")
        given = {argument.name for argument in arguments[:2]}
        return {name: default for name, default in super().parameters.items() if name not in given}

    @property
    def choices(self) -> dict[str, tuple[Any, ...]]:
        """The parameters annotated ``Literal[...]``, each with the values that it may take."""
        try:
            hints = get_type_hints(self.build)
        except NameError:  # a user's annotations may name what is imported for type checkers alone
            return {}
        return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}


class Terms(Registry["Tensor"]):
    """Names to terms. Terms are bound rather than built: `bind` fixes the parameters that a key carries."""

    def get(self, name: str) -> TermEntry:
        """The term of that name, alias, or ``package.module:function``.

        Raises:
            UnknownName: nothing bears that name; the nearest names are in the message.
        """
        entry = super().get(name)
        return TermEntry(entry.name, entry.build, entry.facts)

    def resolve(self, key: str) -> tuple[TermEntry, dict[str, Any]]:
        """The term that a key names and the key's parameters, whole numbers written as such (``2.0`` as 2).

        Raises:
            UnknownName: as `get`.
            BadParameter: no such parameter, a value of the wrong type or not among its choices, or one missing.
        """
        _, params = super().resolve(key)
        entry = self.get(parse_key(key)[0])
        choices = entry.choices
        for param, value in params.items():
            if param in choices and value not in choices[param]:
                offered = ", ".join(map(str, choices[param]))
                raise BadParameter(f"loss term {entry.name!r}: {param} is one of {offered}, not {value!r}")
            if isinstance(value, float) and not math.isfinite(value):
                raise BadParameter(f"loss term {entry.name!r}: {param} must be finite, not {value}")
        empty = inspect.Parameter.empty
        missing = [name for name, default in entry.parameters.items() if default is empty and name not in params]
        if missing:
            raise BadParameter(f"loss term {entry.name!r} needs a value for {', '.join(missing)}")
        return entry, {name: _whole(value) for name, value in params.items()}

    def bind(self, key: str) -> Term:
        """The term that a key names, its parameters fixed.

        Raises:
            UnknownName, BadParameter: as `resolve`.
        """
        entry, params = self.resolve(key)
        return functools.partial(entry.build, **params)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


terms = Terms("loss term", where="bench list losses", group="maskdepth_bench.terms")

terms.lazy("registry.losses.region", "dice", "iou", "lovasz", "tversky")
terms.lazy("registry.losses.pixel", "bce", "focal", "l1", "l2", "rmse")
terms.lazy("registry.losses.structure", "dssim", "ms_ssim", "ssim")
terms.lazy("registry.losses.depth", "berhu", "silog", "ssi")
terms.lazy("registry.losses.edge", "edge", "gradient")
terms.alias("depth_edge", "edge")
