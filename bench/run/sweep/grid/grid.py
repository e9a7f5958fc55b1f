"""`Grid`: models times losses, written with wildcards, lists and alternatives; `Cell`: one of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from bench.core.errors import BenchError
from bench.run.baselines import is_fitted
from bench.run.sweep.grid.alternatives import alternatives
from bench.run.sweep.grid.wildcard import has_wildcard, matches, select
from registry.errors import UnknownName
from registry.losses import parse, recipes
from registry.losses.recipe import HEADS, Recipe
from registry.models import models
from registry.registry import Registry

BOTH = " x "
"""Between model and loss in what is excluded."""

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """A model under a loss.

    Attributes:
        model: canonical key.
        recipe: parsed.
        recipe_name: the name under which it was asked for, or its text.
    """

    model: str
    recipe: Recipe
    recipe_name: str

    @property
    def label(self) -> str:
        """``model x loss``."""
        return f"{self.model}{BOTH}{self.recipe_name}"


@dataclass(frozen=True)
class Grid:
    """Models times losses, without what is excluded.

    Attributes:
        models: keys, patterns (``smp/unet/resnet*``), alternatives (``unet[width=16|32]``).
        losses: names, texts, patterns of names. A pattern without ``@`` passes over the published forms with faults.
        exclude: patterns of models (``wnet*``), of cells (``wnet x bce_*``), or of losses (``* x edge``).
        left_out: cells whose model has none of the heads that the loss trains, once `cells` was asked for.

    Raises:
        RegistryError: a name that does not exist, a pattern that nothing fits, a recipe that does not parse.
        BenchError: nothing is left, or an exclusion excludes nothing.
    """

    models: Sequence[str]
    losses: Sequence[str]
    exclude: Sequence[str] = ()
    left_out: list[Cell] = field(default_factory=list, compare=False)

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells, each once: the losses of the first model, then those of the second."""
        keys = _once(models.canonical(key) for text in self.models for key in expand_models(text))
        keys = [key for key in keys if not is_fitted(key)]
        losses: dict[str, Cell] = {}
        for name in (name for text in self.losses for name in expand_losses(text)):
            recipe = parse(name)
            losses.setdefault(recipe.text, Cell("", recipe, name))
        found: list[Cell] = []
        used: set[str] = set()
        for cell in (Cell(key, loss.recipe, loss.recipe_name) for key in keys for loss in losses.values()):
            against = [pattern for pattern in self.exclude if _excludes(pattern, cell)]
            used.update(against)
            if not against:
                (found if _goes_together(cell) else self.left_out).append(cell)
        for pattern in self.exclude:
            if pattern not in used:
                raise BenchError(
                    f"--exclude {pattern!r} excludes nothing: write a model (wnet*), or model{BOTH}loss (* x bce_*)"
                )
        if not found:
            raise BenchError("the grid is empty: no model is left that any of the losses trains")
        return found


def same_training(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Cells whose losses differ in heads alone that their model does not have, as far as its heads are known."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.model, cell.recipe.for_heads(_heads(cell)).text), []).append(cell)
    return [alike for alike in found.values() if len(alike) > 1]


def expand_models(text: str) -> list[str]:
    """The keys that a model's text stands for.

    Raises:
        UnknownName: a pattern that fits nothing.
    """
    name, bracket, rest = text.strip().partition("[")
    if not has_wildcard(name):
        names = [name]
    else:
        listed = [*models.names(), *(name for prefix in models.families() for name in _members(models, prefix, text))]
        names = _some("model", name, select(name, listed), models)
        names = [each for each in names if not is_fitted(each)] or names
    return [key for each in names for key in alternatives(f"{each}{bracket}{rest}")]


def expand_losses(text: str) -> list[str]:
    """The recipes, by name or text, that a loss's text stands for.

    Raises:
        UnknownName: a pattern that fits nothing.
    """
    text = text.strip()
    if ":" in text or not has_wildcard(text):
        return alternatives(text)
    names = [name for name in recipes.names() if "@" in text or "@" not in name]
    return _some("loss", text, select(text, names), recipes)


def _members(registry: Registry[T], prefix: str, pattern: str) -> Iterator[str]:
    """A family's names, where a pattern names the family: ``*`` alone does not mean all of thousands."""
    if pattern.startswith(prefix):
        yield from registry.members(prefix)


def _some(kind: str, pattern: str, found: list[str], registry: Registry[T]) -> list[str]:
    if not found:
        raise UnknownName(f"{kind} pattern", pattern, registry.names(), registry.where)
    return found


def _goes_together(cell: Cell) -> bool:
    """Whether the model has a head that the loss trains, as far as that is known without building it."""
    return bool({*_heads(cell)} & {*cell.recipe.heads})


def _heads(cell: Cell) -> Sequence[str]:
    heads: Sequence[str] = models.get(cell.model.partition("[")[0]).facts.get("heads") or HEADS
    return heads


def _excludes(pattern: str, cell: Cell) -> bool:
    model, both, loss = pattern.partition(BOTH)
    name = cell.model.partition("[")[0]
    fits = any(matches(model.strip(), text) for text in (name, cell.model))
    return fits and (not both or any(matches(loss.strip(), text) for text in (cell.recipe_name, cell.recipe.text)))


def _once(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
