"""A recipe as data: weighted terms per head, and how the heads are weighed against each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from registry.lookup.keys import format_key, format_number

HEADS = ("mask", "depth")
"""The heads a recipe may name, in canonical order."""

WEIGHTINGS = ("fixed", "uncertainty", "dwa")
"""How heads may be weighed: as written, by learned uncertainty, by dynamic weight average. The first is the default."""


@dataclass(frozen=True)
class WeightedTerm:
    """A term in a recipe.

    Attributes:
        key: the term's canonical key, ``dice[smooth=2]``.
        weight: what its value is multiplied by, over 0.
    """

    key: str
    weight: float = 1.0

    def __str__(self) -> str:
        return self.key if self.weight == 1 else f"{format_number(self.weight)}*{self.key}"


@dataclass(frozen=True)
class HeadPart:
    """The part of a recipe for a head.

    Attributes:
        head: ``mask`` or ``depth``.
        terms: its terms, in alphabetical order of their keys.
        mean: taken off the target before any term sees it; 0 unless a published fault is reproduced.
        std: what the target is then divided by; 1 unless a published fault is reproduced.
    """

    head: str
    terms: tuple[WeightedTerm, ...]
    mean: float = 0.0
    std: float = 1.0

    def __str__(self) -> str:
        changed = (("mean", self.mean, 0.0), ("std", self.std, 1.0))
        shown = {name: value for name, value, default in changed if value != default}
        modifier = f"~{format_key('standardised', shown)}" if shown else ""
        return f"{self.head}{modifier}: {' + '.join(map(str, self.terms))}"


@dataclass(frozen=True)
class Recipe:
    """Weighted terms per head. Two spellings of the same recipe are equal, and have the same `text`.

    Attributes:
        parts: of the heads that are trained, mask before depth.
        weighting: how the heads are weighed, one of `WEIGHTINGS`.
    """

    parts: tuple[HeadPart, ...]
    weighting: str = WEIGHTINGS[0]

    @cached_property
    def text(self) -> str:
        """The canonical spelling, which `parse` reads back to an equal recipe."""
        sections = [str(part) for part in self.parts]
        if self.weighting != WEIGHTINGS[0]:
            sections.append(f"weighting: {self.weighting}")
        return ", ".join(sections)

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that are trained."""
        return tuple(part.head for part in self.parts)

    def for_heads(self, heads: Collection[str]) -> Recipe:
        """What of it trains a model of these heads; without parts if it trains none of them."""
        return replace(self, parts=tuple(part for part in self.parts if part.head in heads))

    def __str__(self) -> str:
        return self.text
