"""From a key to the plug-in it names: which kind of thing it is, and the checks for that kind."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from bench.audit.conformance import metric, model, source, term
from bench.audit.conformance.check import Check, examine
from bench.audit.conformance.model_plugin import ModelPlugin
from bench.audit.conformance.term_plugin import TermPlugin
from bench.core.errors import BenchError
from bench.core.finding import Finding
from bench.core.progress import Progress, no_progress
from bench.data.source import Source
from bench.data.sources import open_source, sources
from bench.metrics import metrics
from bench.train.isolation.process_state import settings_kept
from registry.errors import ContractError, RegistryError, UnknownName
from registry.lookup.imports import described, find_attribute
from registry.losses import terms
from registry.models import models
from registry.registry import parse_key

Plugin = ModelPlugin | TermPlugin | metric.MetricPlugin | source.SourcePlugin

CHECKS: Mapping[str, Sequence[Check[Any]]] = {
    "model": model.CHECKS,
    "term": term.CHECKS,
    "metric": metric.CHECKS,
    "source": source.CHECKS,
}
"""The checks of each kind of plug-in."""

_LISTS = "bench list models, bench list terms, bench list metrics or bench list sources"


def check_plugin(
    key: str, kind: str | None = None, heads: Sequence[str] = (), progress: Progress = no_progress
) -> list[Finding]:
    """Make every check on a plug-in.

    Args:
        key: ``package.module:attribute`` or a registered name, parameters in brackets.
        kind: a key of `CHECKS`; None to recognise it.
        heads: those that a term is for; as registered, or both tried, if empty.
        progress: called before every check.

    Returns:
        A finding per check: ``ok``, ``warn``, or ``broken`` with what happened and, as advice, why it matters.

    Raises:
        RegistryError: the key names nothing that can be imported, or a model that cannot be built.
        BenchError: the kind cannot be recognised, or does not exist.
    """
    chosen = find_kind(key) if kind is None else kind
    plugin = find_plugin(key, chosen, heads)
    if isinstance(plugin, ModelPlugin):
        with suppress(ContractError), settings_kept(key), torch.random.fork_rng(devices=[]):
            plugin.build()  # what cannot be built is said once, not by every check
    return examine(plugin, CHECKS[chosen], progress)


def find_kind(key: str) -> str:
    """Which kind of plug-in a key names: by its registry, its class, or what it takes.

    Raises:
        RegistryError: nothing bears that name.
        BenchError: it may be several kinds, or none.
    """
    name = parse_key(key)[0]
    if ":" in name:
        found = find_attribute(name, f"plug-in {name!r}")
        kind = _kind_of(found, name)
        if kind is None:
            is_named = callable(found) and not isinstance(found, nn.Module | Source)
            way = (
                "say which with --kind"
                if is_named
                else f"it is of type {type(found).__name__}; name a class or function"
            )
            raise BenchError(f"{key} is neither a model, a term, a metric nor a source: {way}")
        return kind
    known = {kind for kind, has in _REGISTERED.items() if has(name)}
    if len(known) > 1:
        raise BenchError(f"{name!r} is a {' and a '.join(sorted(known))}: say which with --kind")
    if not known:
        names = [*models.names(), *terms.names(), *metrics.names(), *sources.names()]
        raise UnknownName("model, term, metric or source", name, names, _LISTS)
    return known.pop()


def find_plugin(key: str, kind: str, heads: Sequence[str] = ()) -> Plugin:
    """The plug-in of a kind that a key names, ready for its checks.

    Raises:
        RegistryError: the kind has no plug-in of that name, or it takes no such parameter.
        BenchError: an unknown kind.
    """
    if kind not in CHECKS:
        raise BenchError(f"unknown kind of plug-in {kind!r}; choose one of: {', '.join(CHECKS)}")
    if kind == "model":
        models.resolve(key)
        return ModelPlugin(key, functools.partial(models.build, key))
    if kind == "term":
        known = terms.get(parse_key(key)[0]).facts.get("heads", ())
        return TermPlugin(key, terms.bind(key), tuple(heads) or tuple(known))
    if kind == "metric":
        return metric.MetricPlugin(metrics.bind(key))
    return source.SourcePlugin(key, _opener(key))


def _opener(key: str) -> Callable[[], Source]:
    name, parameters = parse_key(key)
    if name in sources.names():
        return functools.partial(open_source, name, **parameters)
    return functools.partial(sources.get(name).build, **parameters)


_REGISTERED: Mapping[str, Callable[[str], bool]] = {
    "model": lambda name: name in models.names() or any(map(name.startswith, models.families())),
    "term": lambda name: name in terms.names(),
    "metric": lambda name: name in metrics.names(),
    "source": lambda name: name in sources.names(),
}


def _kind_of(found: Any, name: str) -> str | None:
    """The kind of what was imported; None if it cannot be recognised."""
    if _is_metric(name):
        return "metric"
    if inspect.isclass(found):
        bases = {"model": issubclass(found, nn.Module), "source": issubclass(found, Source)}
        looks = {"model": hasattr(found, "forward"), "source": hasattr(found, "render") or hasattr(found, "scenes")}
        return next((kind for signs in (bases, looks) for kind, is_one in signs.items() if is_one), None)
    if not callable(found):
        return None
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):  # of what is written in C
        return None
    required = [
        p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(required) == 2:
        return "term"
    if not required and not isinstance(found, nn.Module | Source):
        try:
            with torch.random.fork_rng(devices=[]):
                built = found()
        except (Exception, SystemExit) as error:
            raise BenchError(f"{name} cannot be built: {described(error)}") from error
        return "model" if isinstance(built, nn.Module) else "source" if isinstance(built, Source) else None
    return None


def _is_metric(name: str) -> bool:
    """Whether a function says of itself what it judges, as metrics do."""
    try:
        metrics.facts(name)
    except RegistryError:
        return False
    return True
