"""`Parameter`: one number in the optimizer, the schedule or the recipe, by its path."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bench.core.errors import BenchError
from bench.core.spec import RunSpec
from registry.errors import RegistryError
from registry.losses import parse
from registry.losses.recipe import HEADS, HeadPart, WeightedTerm
from registry.losses.terms import terms
from registry.optimizers import optimizers
from registry.registry import Registry, format_key, parse_key
from registry.schedules import schedules

WEIGHT = "weight"
_FORMS = "optimizer.lr, schedule.warmup, loss.depth.ssim.weight, loss.mask.tversky.alpha"
_KEYS: dict[str, Registry[Any]] = {"optimizer": optimizers, "schedule": schedules}


@dataclass(frozen=True)
class Parameter:
    """A number by its path.

    Attributes:
        path: ``optimizer.NAME``, ``schedule.NAME``, ``loss.HEAD.TERM.weight`` or ``loss.HEAD.TERM.NAME``.

    Raises:
        BenchError: it is no path to a number.
    """

    path: str

    def __post_init__(self) -> None:
        parts = self.path.split(".")
        in_key = len(parts) == 2 and parts[0] in _KEYS
        in_loss = len(parts) >= 4 and parts[0] == "loss" and parts[1] in HEADS
        if not all(parts) or not (in_key or in_loss):
            raise BenchError(f"cannot tune {self.path!r}: write a path such as {_FORMS}")

    def get(self, spec: RunSpec) -> float:
        """Its value in a spec.

        Raises:
            BenchError, RegistryError: the spec has no such number.
        """
        if self._in_loss:
            term = self._term(spec, self._parts(spec))
            name, value = self._name, term.weight
            if name != WEIGHT:
                value = _value(terms, term.key, name)
        else:
            value = _value(_KEYS[self._kind], getattr(spec.protocol, self._kind), self._name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BenchError(f"cannot tune {self.path}: {value!r} is not a number")
        return value

    def set(self, spec: RunSpec, value: float) -> RunSpec:
        """The spec with another value.

        Raises:
            BenchError, RegistryError: the spec has no such number, or it cannot have this value.
        """
        if not self._in_loss:
            key = _changed(_KEYS[self._kind], getattr(spec.protocol, self._kind), self._name, value)
            return spec.model_copy(update={"protocol": spec.protocol.override(**{self._kind: key})})
        recipe = parse(spec.recipe)
        chosen = self._term(spec, recipe.parts)
        if self._name == WEIGHT:
            changed = WeightedTerm(chosen.key, float(value))
        else:
            changed = WeightedTerm(_changed(terms, chosen.key, self._name, value), chosen.weight)
        parts = tuple(
            replace(part, terms=tuple(changed if term is chosen else term for term in part.terms))
            for part in recipe.parts
        )
        return spec.model_copy(update={"recipe": parse(replace(recipe, parts=parts).text).text})

    @property
    def _kind(self) -> str:
        return self.path.partition(".")[0]

    @property
    def _in_loss(self) -> bool:
        return self._kind == "loss"

    @property
    def _name(self) -> str:
        return self.path.rpartition(".")[2]

    @staticmethod
    def _parts(spec: RunSpec) -> tuple[HeadPart, ...]:
        return parse(spec.recipe).parts

    def _term(self, spec: RunSpec, parts: tuple[HeadPart, ...]) -> WeightedTerm:
        """The one term that the path names.

        Raises:
            BenchError: there is none, or several.
        """
        _, head, rest = self.path.split(".", 2)
        name = rest.rpartition(".")[0]
        found = [
            term
            for part in parts
            if part.head == head
            for term in part.terms
            if name in (term.key, term.key.partition("[")[0])
        ]
        if len(found) != 1:
            how_many = "no" if not found else "more than one"
            raise BenchError(
                f"cannot tune {self.path}: {spec.recipe!r} has {how_many} term {name} on {head}; exclude it"
            )
        return found[0]


def _value(registry: Registry[Any], key: str, name: str) -> Any:
    entry, params = registry.resolve(key)
    if name in params:
        return params[name]
    if name not in entry.parameters:
        offered = ", ".join(entry.parameters) or "none"
        raise BenchError(f"{registry.kind} {entry.name!r} has no parameter {name!r} to tune (it has: {offered})")
    return entry.parameters[name]


def _changed(registry: Registry[Any], key: str, name: str, value: float) -> str:
    """A key with one parameter changed, canonical."""
    _value(registry, key, name)
    stem, params = parse_key(key)
    try:
        return registry.canonical(format_key(stem, {**params, name: value}))
    except RegistryError:
        if float(value).is_integer():  # a whole number may be wanted
            return registry.canonical(format_key(stem, {**params, name: int(value)}))
        raise
