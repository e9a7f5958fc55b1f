"""`Metrics`: the registry of metrics, with facts that can be read without importing torch.

A metric is a function of a `bench.metrics.view.View`, or of ``(prediction, target)`` of its one head as a loss term
is, that gives one value per image, (B,), NaN where the image has nothing to say. More arguments are parameters.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec

from pydantic import ValidationError

from bench.core.metric_facts import MetricFacts
from registry.errors import BadParameter, RegistryError
from registry.ranges import Range
from registry.registry import Entry, Registry, format_key, parse_key

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
        key: the metric's name with its parameters, in its one spelling.
        facts: what is known about it.
        per_image: its value for every image of a batch, (B,).
    """

    key: str
    facts: MetricFacts
    per_image: PerImage = field(repr=False)


@dataclass(frozen=True)
class _Late:
    """A function that is imported when it is first needed."""

    module: str
    name: str

    def __call__(self, *args: Any, **parameters: Any) -> Tensor:
        return self.load()(*args, **parameters)

    def load(self) -> Callable[..., Tensor]:
        found: Callable[..., Tensor] = getattr(importlib.import_module(self.module), self.name)
        return found


class MetricEntry(Entry["Tensor"]):
    """A metric under its name. ``build`` is its function, whose first argument or two are no parameters."""

    @property
    def function(self) -> Callable[..., Tensor]:
        """The metric's function; imports torch."""
        return self.build.load() if isinstance(self.build, _Late) else self.build

    @property
    def arguments(self) -> int:
        """1 for a function of a view, 2 for one of prediction and target.

        Raises:
            RegistryError: it is neither.
        """
        given = [
            p
            for p in inspect.signature(self.function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        required = [p for p in given if p.default is p.empty]
        if len(required) not in (1, 2):
            raise RegistryError(f"metric {self.name!r} must take (view), or (prediction, target), and parameters")
        return len(required)

    def signature(self) -> list[inspect.Parameter]:
        """What the function takes after the view, or after prediction and target."""
        return super().signature()[self.arguments :]


class Metrics(Registry["Tensor"]):
    """Names to metrics. `facts` says what is known of one, `bind` makes it ready for use."""

    def __init__(self, kind: str, where: str, group: str | None = None) -> None:
        super().__init__(kind, where, group)
        self._declared: dict[str, MetricEntry] = {}
        self._facts: dict[Callable[..., Any], MetricFacts] = {}

    def declare(self, module: str, name: str, **facts: Any) -> None:
        """Announce that ``module`` holds the metric ``name``; its facts can be read without importing it."""
        self.lazy(module, name)
        self._declared[name] = MetricEntry(name, _Late(module, name), {"facts": make_facts(name, facts)})

    def register(
        self, ranges: Mapping[str, Range] | None = None, **facts: Any
    ) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
        """Decorate a metric's function with its facts: ``head`` and ``higher_is_better`` at least, see `MetricFacts`.

        Raises:
            BadParameter: there is no such fact, or one of these two is missing.
        """
        keep = super().register(ranges, **facts)

        def decorate(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
            known = dict(facts)
            known.setdefault("summary", (inspect.getdoc(function) or "").partition("\n")[0])
            self._facts[function] = make_facts(function.__name__, known)
            return keep(function)

        return decorate

    def get(self, name: str) -> MetricEntry:
        """The metric of that name, a family's member, or a user's ``package.module:function``.

        Raises:
            UnknownName: nothing bears that name; the nearest names are in the message.
            RegistryError: a user's function says nothing of its direction.
        """
        if name in self._declared:
            return self._declared[name]
        entry = super().get(name)
        facts = entry.facts.get("facts") or self._facts.get(entry.build)
        if facts is None:
            raise RegistryError(
                f"metric {name!r} does not say what it judges and which way is better: put "
                "@metrics.register(head='mask', higher_is_better=True) above it (from bench.metrics import metrics)"
            )
        return MetricEntry(entry.name, entry.build, {"facts": facts}, entry.ranges)

    def facts(self, key: str) -> MetricFacts:
        """What is known of a metric; for those in the table nothing is imported.

        Raises:
            UnknownName, RegistryError: as `get`.
        """
        name, params = parse_key(key)
        facts: MetricFacts = self.get(name).facts["facts"]
        if not params:
            return facts
        return facts.model_copy(update={"column": f"{facts.column} {format_key('', params)}".strip()})

    def bind(self, key: str) -> Metric:
        """The metric that a key names, its parameters fixed; it imports nothing before it is used, without brackets.

        Raises:
            UnknownName, BadParameter, RegistryError: there is no such metric, or it takes no such parameter.
        """
        entry = self.get(parse_key(key)[0])
        if entry.name in self._declared and key == entry.name:
            return Metric(key, entry.facts["facts"], entry.build)
        _, params = self.resolve(key)
        function = functools.partial(entry.function, **params)
        facts = self.facts(key)
        canonical = self.canonical(key)
        if entry.arguments == 1:
            return Metric(canonical, facts, function)
        if facts.head == "joint":
            raise RegistryError(f"metric {key!r} judges both heads: it takes a view, not (prediction, target)")
        return Metric(canonical, facts, lambda view: function(*view.judged(facts.head)))

    def default(self) -> list[str]:
        """The names of those that every evaluation computes."""
        return [name for name, entry in self._declared.items() if not entry.facts["facts"].on_request]


def make_facts(name: str, facts: dict[str, Any]) -> MetricFacts:
    """Facts with what follows from others filled in.

    Raises:
        BadParameter: there is no such fact, or head or direction are missing.
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
