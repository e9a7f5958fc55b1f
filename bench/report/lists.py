"""Names with one line each, for ``bench list``; nothing here imports torch."""

from __future__ import annotations

import ast
import fnmatch
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.core.protocol import PROTOCOLS
from bench.metrics import metrics
from bench.train.optim import optimizers, schedules
from registry.losses import RECIPES, terms
from registry.models import models
from registry.registry import Registry

Lines = list[tuple[str, str]]


def _models(pattern: str) -> Lines:
    families = [
        (f"{prefix}<architecture>/<encoder>", "any architecture and encoder of segmentation_models_pytorch and timm")
        for prefix in models.families()
    ]
    own = [("package.module:function", "a function of yours that builds a model")]
    return _registered(models, pattern) + (families + own if pattern == "*" else [])


def _losses(pattern: str) -> Lines:
    recipes = [(name, f"{recipe.text}   ({recipe.source})") for name, recipe in RECIPES.items()]
    rows = [row for row in recipes if fnmatch.fnmatchcase(row[0], pattern)]
    named = [(f"term {name}", summary) for name, summary in _registered(terms, pattern)]
    return rows + named


def _metrics(pattern: str) -> Lines:
    rows = []
    for name in metrics.names(pattern):
        facts = metrics.facts(name)
        better = "higher" if facts.higher_is_better else "lower"
        rows.append((name, f"{better} is better, perfect {facts.perfect:g}: {facts.summary}"))
    return rows


def _protocols(pattern: str) -> Lines:
    return [
        (p.name, f"{p.summary} ({p.optimizer}, {p.schedule}, {p.train_samples:,} samples x {p.epochs} epochs)")
        for p in PROTOCOLS.values()
        if fnmatch.fnmatchcase(p.name, pattern)
    ]


LISTS: dict[str, Callable[[str], Lines]] = {
    "models": _models,
    "losses": _losses,
    "metrics": _metrics,
    "protocols": _protocols,
    "optimizers": lambda pattern: _registered(optimizers, pattern),
    "schedules": lambda pattern: _registered(schedules, pattern),
}


def _registered(registry: Registry[Any], pattern: str) -> Lines:
    """A registry's names with the first line of each docstring, read from the source."""
    rows = []
    for name in registry.names(pattern):
        module = registry.module(name)
        rows.append((name, _summary(module, name) if module else ""))
    return rows


def _summary(module: str, function: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    for node in ast.walk(ast.parse(Path(spec.origin).read_text())):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""
