"""`Metrics`: the registry of metrics, with facts that can be read without importing torch.

A metric is a function of a `bench.metrics.view.View`, or of ``(prediction, target)`` of its head as a loss term is,
that returns a value per image, (B,), NaN where it is undefined. Further arguments are parameters.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec

from pydantic import ValidationError

from bench.core.code import own_code
from bench.core.record.metric_facts import MetricFacts
from registry.errors import BadParameter, RegistryError
from registry.lookup.entry import Entry
from registry.lookup.keys import format_key, parse_key
from registry.ranges import Range
from registry.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from bench.metrics.view import View

    PerImage = Callable[[View], Tensor]
    """One value per image of a batch, (B,)."""

P = ParamSpec("P")

NEEDS = {"mask": ("mask",), "depth": ("depth",), "joint": ("mask", "depth")}
"""What a batch must offer for a metric of that head, unless its facts say otherwise."""


@dataclass(frozen=True)
class Metric:
    """A metric with its parameters fixed.

    Attributes:
        key: the metric's name with its parameters, in canonical form.
        facts: what is known about it.
        per_image: its value for every image of a batch, (B,).
    """

    key: str
    facts: MetricFacts
    per_image: PerImage = field(repr=False)


@dataclass(frozen=True)
class LateFunction:
    """A function that is imported when it is first needed."""

    module: str
    name: str

    def __call__(self, *args: Any, **parameters: Any) -> Tensor:
        """Import it and call it."""
        return self.load()(*args, **parameters)

    def load(self) -> Callable[..., Tensor]:
        """The function itself."""
        found: Callable[..., Tensor] = getattr(importlib.import_module(self.module), self.name)
        return found


class MetricEntry(Entry["Tensor"]):
    """A metric under its name. ``build`` is its function, whose first argument or two are no parameters."""

    @property
    def function(self) -> Callable[..., Tensor]:
        """The metric's function; imports torch."""
        return self.build.load() if isinstance(self.build, LateFunction) else self.build

    @property
    def arguments(self) -> int:
        """1 for a function of a view, 2 for a function of prediction and target.

        Raises:
            RegistryError: it is neither.
        """
        required = [
            p
            for p in super().signature()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
        ]
        if len(required) not in (1, 2):
            raise RegistryError(f"metric {self.name!r} must take (view), or (prediction, target), and then parameters")
        return len(required)

    def signature(self) -> list[inspect.Parameter]:
        """The parameters after the view, or after prediction and target."""
        return super().signature()[self.arguments :]

    def describe(self, params: Mapping[str, Any]) -> MetricFacts:
        """What is known of it with these parameters.

        Raises:
            RegistryError: a user's function has no facts.
        """
        if "describe" in self.facts:
            described: MetricFacts = self.facts["describe"](params)
            return described
        if not self.facts:
            raise RegistryError(
                f"metric {self.name!r} does not say what it judges and which way is better: put "
                "@metrics.register(head='mask', higher_is_better=True) above it (from bench.metrics import metrics)"
            )
        facts = make_facts(self.name, {"summary": self.summary, **_FOREIGN, **self.facts})
        return facts.model_copy(update={"code": own_code(self.name)})


_FOREIGN = {"compared": True, "on_request": True}
"""What goes for metrics that are not in the table: they are shown where ``--metric`` names them."""


class Metrics(Registry["Tensor"]):
    """Names to metrics. `facts` returns what is known of a metric, `bind` makes it callable."""

    def __init__(self, kind: str, where: str, group: str, index: str) -> None:
        super().__init__(kind, where, group, index)
        self._table: dict[str, tuple[MetricEntry, MetricFacts]] = {}

    def declare(self, module: str, name: str, ranges: Mapping[str, Range] | None = None, **facts: Any) -> None:
        """Announce that ``module`` holds the metric ``name``; its facts can be read without importing it."""
        self.lazy(module, name)
        entry = MetricEntry(name, LateFunction(module, name), facts, ranges or {})
        self._table[name] = entry, make_facts(name, facts)

    def register(
        self, ranges: Mapping[str, Range] | None = None, **facts: Any
    ) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
        """Decorate a metric's function with its facts: ``head`` and ``higher_is_better`` at least, see `MetricFacts`.

        Raises:
            BadParameter: an unknown fact, or one of these two is missing.
        """
        make_facts("a metric", facts)
        return super().register(ranges, **facts)

    def get(self, name: str) -> MetricEntry:
        """The metric of that name, a family's member, or a user's ``package.module:function``.

        Raises:
            UnknownName: no metric has that name; the nearest names are in the message.
            RegistryError: what provides it cannot be imported.
        """
        if name in self._table:
            return self._table[name][0]
        entry = super().get(name)
        return MetricEntry(entry.name, entry.build, entry.facts, entry.ranges, about=entry.about)

    def facts(self, key: str) -> MetricFacts:
        """What is known of a metric; for those in the table nothing is imported.

        Raises:
            UnknownName, RegistryError: as `get`.
        """
        name, params = parse_key(key)
        facts = self._table[name][1] if name in self._table else self.get(name).describe(params)
        shown = {name: value for name, value in params.items() if name not in ("higher", "perfect")}
        return facts.model_copy(update={"column": f"{facts.column}{format_key('', shown)}"}) if shown else facts

    def bind(self, key: str) -> Metric:
        """The metric that a key names, its parameters fixed; from the table, without brackets, it imports nothing.

        Raises:
            UnknownName, BadParameter, RegistryError: an unknown metric, or a parameter that it does not take.
        """
        if key in self._table:
            entry, facts = self._table[key]
            return Metric(key, facts, entry.build)
        found, params = self.resolve(key)
        entry = self.get(found.name)
        canonical = self.canonical(key)
        facts, function = self.facts(canonical), functools.partial(entry.function, **params)
        if entry.arguments == 1:
            return Metric(canonical, facts, function)
        if facts.head == "joint":
            raise RegistryError(f"metric {key!r} judges both heads: it takes a view, not (prediction, target)")
        return Metric(canonical, facts, lambda view: function(*view.judged(facts.head)))

    def default(self) -> list[str]:
        """The names of those that every evaluation computes."""
        return [name for name, (_, facts) in self._table.items() if not facts.on_request]


def make_facts(name: str, facts: Mapping[str, Any]) -> MetricFacts:
    """Facts with what follows from others filled in.

    Raises:
        BadParameter: an unknown fact, or head or direction are missing.
    """
    head, higher = facts.get("head"), facts.get("higher_is_better")
    follows: dict[str, Any] = {
        "needs": NEEDS.get(str(head), ()),
        "perfect": 1.0 if higher else 0.0,
        "column": name.rpartition(":")[2].rpartition("/")[2].removeprefix(f"{head}_").replace("_", " "),
        "table": {"mask": "Mask", "depth": "Depth", "joint": "Both tasks"}.get(str(head)),
    }
    try:
        return MetricFacts(**{**follows, **facts})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadParameter(f"metric {name!r}: {wrong}") from error
