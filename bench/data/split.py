"""Which groups of a pool a part may use: disjoint for honest scores, or all of them as the published systems did.

Composites of one background, or of one object, resemble each other far more than new ones do; a split that
spreads them over training and test measures memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.core.errors import BadData, BenchError

Part = Literal["train", "val", "test"]

FRACTIONS: dict[Part, float] = {"train": 0.70, "val": 0.15, "test": 0.15}


@dataclass(frozen=True)
class Split:
    """Groups by part.

    Attributes:
        rule: the name of the rule that made it.
        groups: the names of the groups each part may use.
    """

    rule: str
    groups: Mapping[Part, tuple[str, ...]]

    @property
    def leaks(self) -> bool:
        """Whether some group stands in two parts."""
        names = [name for part in self.groups.values() for name in part]
        return len(names) != len(set(names))


def _by_group(sizes: Mapping[str, int], seed: int) -> dict[Part, list[str]]:
    """Biggest group first to the part farthest below its quota, so that a huge group lands in train."""
    total = sum(sizes.values())
    groups: dict[Part, list[str]] = {part: [] for part in FRACTIONS}
    missing = {part: share * total for part, share in FRACTIONS.items()}
    order = sorted(sizes, key=lambda name: (-sizes[name], hashlib.sha256(f"{seed}/{name}".encode()).digest()))
    for left, name in zip(range(len(order), 0, -1), order, strict=True):
        empty = [part for part in groups if not groups[part]]
        part = max(empty if left <= len(empty) else groups, key=missing.__getitem__)
        groups[part].append(name)
        missing[part] -= sizes[name]
    return groups


def _leaking(sizes: Mapping[str, int], seed: int) -> dict[Part, list[str]]:
    """Everything in every part: samples differ, backgrounds and objects do not."""
    return {part: list(sizes) for part in FRACTIONS}


RULES: dict[str, Callable[[Mapping[str, int], int], dict[Part, list[str]]]] = {"group": _by_group, "random": _leaking}


def split_groups(sizes: Mapping[str, int], seed: int, rule: str = "group", what: str = "groups") -> Split:
    """Share groups out over the parts, as a function of the seed and the groups' names and sizes alone.

    Args:
        sizes: how many files or identities each group has.
        seed: breaks ties between groups of one size.
        rule: a key of `RULES`; ``group`` is disjoint, ``random`` leaks.
        what: what the groups are, for messages.

    Raises:
        BenchError: there is no such rule.
        BadData: fewer than three groups for a disjoint split.
    """
    if rule not in RULES:
        raise BenchError(f"unknown split {rule!r}; there are: {', '.join(sorted(RULES))}")
    if len(sizes) < len(FRACTIONS) and rule != "random":
        reason = f"only {len(sizes)}; a split into train, val and test that share none needs at least {len(FRACTIONS)}"
        raise BadData([(what, reason)], "add more, or use split=random, whose scores leak")
    parts = RULES[rule](sizes, seed)
    return Split(rule, {part: tuple(sorted(names)) for part, names in parts.items()})
