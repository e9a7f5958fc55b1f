"""Names with a summary each, for ``bench list``; nothing here imports torch."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from bench.core.protocol import protocols
from bench.data.augment import augmentations
from bench.data.camera import cameras
from bench.data.sources import sources
from bench.metrics import metrics
from registry.errors import UnknownName
from registry.losses import recipes, terms
from registry.models import models
from registry.optimizers import optimizers
from registry.registry import Registry
from registry.schedules import schedules

Lines = list[tuple[str, str]]

LISTS: Mapping[str, tuple[Registry[Any], ...]] = {
    "models": (models,),
    "losses": (recipes, terms),
    "recipes": (recipes,),
    "terms": (terms,),
    "optimizers": (optimizers,),
    "schedules": (schedules,),
    "protocols": (protocols,),
    "metrics": (metrics,),
    "sources": (sources,),
    "cameras": (cameras,),
    "augmentations": (augmentations,),
}
"""The registries of each kind that can be listed."""


def lines(kind: str, pattern: str = "*") -> Lines:
    """Every name of a kind that matches a shell wildcard, with its summary.

    Raises:
        UnknownName: nothing matches; the nearest names are in the message.
    """
    rows = [
        (f"term {name}" if kind == "losses" and registry is terms else name, _about(registry, name))
        for registry in LISTS[kind]
        for name in registry.names(pattern)
    ]
    if not rows:
        registry = LISTS[kind][0]
        raise UnknownName(registry.kind, pattern, [n for r in LISTS[kind] for n in r.names()], registry.where)
    if pattern == "*":
        for registry in LISTS[kind]:
            rows += [(f"{prefix}...", "made on demand") for prefix in registry.families()]
            rows += [("package.module:attribute", f"{_article(registry.kind)} {registry.kind} of your own")]
    return rows


def details(kind: str, name: str) -> str:
    """Details of an entry: its parameters with their defaults and ranges, or a protocol as TOML.

    Empty for a pattern and for an entry without parameters; importing the entry's module may import torch.
    """
    if kind == "protocols":
        return protocols.build(name).toml() if name in protocols.names() else ""
    for registry in LISTS.get(kind, ()):
        if name in registry.names():
            entry = registry.get(name)
            return "\n".join(
                f"  {parameter}{'' if default is inspect.Parameter.empty else f'={default}'}"
                f"  {entry.ranges.get(parameter, '')}".rstrip()
                for parameter, default in entry.parameters.items()
            )
    return ""


def _about(registry: Registry[Any], name: str) -> str:
    if registry is not metrics:
        return registry.summary(name)
    facts = metrics.facts(name)
    return f"{'higher' if facts.higher_is_better else 'lower'} is better, perfect {facts.perfect:g}: {facts.summary}"


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
