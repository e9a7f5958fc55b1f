"""The rules by which the groups of both pools are shared out over the parts."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.core.errors import BadData, BenchError
from bench.data.split.division import FORMER, FRACTIONS, POOLS, Division, Groups, Part, Pool, Split
from bench.data.split.file import read_split
from registry.errors import RegistryError
from registry.registry import format_key, parse_key


def split_pools(
    pools: Mapping[Pool, Mapping[str, int]],
    seed: int,
    rule: str = "unseen-both",
    names: Mapping[Pool, str] | None = None,
    ways: Mapping[Pool, str] | None = None,
    called: Mapping[Pool, Mapping[str, str]] | None = None,
) -> Division:
    """Share the groups of both pools out over the parts.

    Args:
        pools: how many files or identities each group has, by the group's name.
        seed: breaks ties between groups of the same size.
        rule: see the module; a former name is accepted with a warning.
        names: what the groups of a pool are, for messages.
        ways: what to do where a pool has too few of them, beside adding some.
        called: what a user's file may call the groups of a pool, with the group of each.

    Returns:
        A function of the seed, the rule, and the groups' names and sizes alone, whatever their order.

    Raises:
        BenchError: an unknown rule, or a parameter that it does not take.
        BadData: too few groups for a disjoint split, or a file that does not fit the data.
    """
    names, ways = names or {}, ways or {}
    if rule.endswith(".json"):
        return read_split(Path(rule), pools, called)
    canonical, makers = _rule(rule)
    splits: dict[Pool, Split] = {}
    for pool, sizes in pools.items():
        parts = makers[pool](sizes, seed, _What(names.get(pool, f"{pool}s"), ways.get(pool, "")))
        splits[pool] = Split({part: tuple(sorted(parts[part])) for part in FRACTIONS})
    return Division(canonical, splits)


class _What(NamedTuple):
    """What groups are, and what to do where there are too few of them."""

    name: str
    way: str


Maker = Callable[[Mapping[str, int], int, _What], Groups]
"""Sizes by group, the seed, and what the groups are, to the groups of each part."""


def _disjoint(sizes: Mapping[str, int], seed: int, what: _What) -> dict[Part, list[str]]:
    """Biggest group first to the part farthest below its quota, so that a huge group lands in train."""
    _need(len(FRACTIONS), sizes, what)
    total = sum(sizes.values())
    groups: dict[Part, list[str]] = {part: [] for part in FRACTIONS}
    missing = {part: share * total for part, share in FRACTIONS.items()}
    order = list(_biggest_first(sizes, seed))
    for left, name in zip(range(len(order), 0, -1), order, strict=True):
        empty = [part for part in groups if not groups[part]]
        part = max(empty if left <= len(empty) else groups, key=missing.__getitem__)
        groups[part].append(name)
        missing[part] -= sizes[name]
    return groups


def _shared(sizes: Mapping[str, int], seed: int, what: _What) -> dict[Part, list[str]]:
    """Everything in every part: samples differ, backgrounds or objects do not."""
    return {part: list(sizes) for part in FRACTIONS}


def _fold(n: int, fold: int) -> Maker:
    """Fold ``fold`` of ``n`` is the test part, the next fold is for validation, the others for training."""

    def share_out(sizes: Mapping[str, int], seed: int, what: _What) -> dict[Part, list[str]]:
        _need(n, sizes, what)
        folds: list[list[str]] = [[] for _ in range(n)]
        filled = [0] * n
        for name in _biggest_first(sizes, seed):
            smallest = min(range(n), key=lambda number: (filled[number], len(folds[number]), number))
            folds[smallest].append(name)
            filled[smallest] += sizes[name]
        val = (fold + 1) % n
        train = [name for number, names in enumerate(folds) if number not in (fold, val) for name in names]
        return {"train": train, "val": folds[val], "test": folds[fold]}

    return share_out


_RULES: dict[str, dict[Pool, Maker]] = {
    "unseen-both": {"background": _disjoint, "object": _disjoint},
    "unseen-bg": {"background": _disjoint, "object": _shared},
    "unseen-fg": {"background": _shared, "object": _disjoint},
    "shared": {"background": _shared, "object": _shared},
}

RULES: dict[str, str] = {
    "unseen-both": "no background and no object in two parts",
    "unseen-bg": "no background in two parts; objects are shared by all",
    "unseen-fg": "no object in two parts; backgrounds are shared by all",
    "shared": "every background and object in every part: scores leak",
    "kfold[n=5,fold=0]": "as unseen-both, with a fold of n as test and the next as validation",
    "FILE.json": "the groups of each part by name, from a file",
}
"""Every rule in a few words, for lists and help."""


def find_rule(rule: str) -> str:
    """A rule in canonical form; a former name is accepted with a warning.

    Raises:
        BenchError: an unknown rule, or a parameter that it does not take.
    """
    return rule if rule.endswith(".json") else _rule(rule)[0]


def _rule(text: str) -> tuple[str, Mapping[Pool, Maker]]:
    """The canonical text of a rule, and what makes the split of each pool."""
    try:
        name, params = parse_key(text)
    except RegistryError as error:
        raise BenchError(f"split: {error}") from error
    if name in FORMER:
        warnings.warn(f"--split {name} is called {FORMER[name]} now", FutureWarning, stacklevel=3)
        name = FORMER[name]
    if name == "kfold":
        n, fold = params.pop("n", 5), params.pop("fold", 0)
        if type(n) is not int or type(fold) is not int or n < len(FRACTIONS) or not 0 <= fold < n:
            raise BenchError(f"split {text!r}: n is a whole number from {len(FRACTIONS)}, fold from 0 to n - 1")
        _refuse(text, params)
        return format_key(name, {"n": n, "fold": fold}), dict.fromkeys(POOLS, _fold(n, fold))
    if name not in _RULES:
        raise BenchError(f"unknown split {name!r}; choose one of: {', '.join(RULES)}")
    _refuse(text, params)
    return name, _RULES[name]


def _refuse(text: str, params: Mapping[str, Any]) -> None:
    if params:
        raise BenchError(f"split {text!r} takes no parameter {', '.join(params)}")


def _biggest_first(sizes: Mapping[str, int], seed: int) -> Iterator[str]:
    yield from sorted(
        sizes,
        key=lambda name: (-sizes[name], hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).digest()),
    )


def _need(count: int, sizes: Mapping[str, int], what: _What) -> None:
    if len(sizes) < count:
        reason = f"only {len(sizes)}; a split into train, val and test that share none needs at least {count}"
        way = f"{what.way}; " if what.way else ""
        raise BadData([(what.name, reason)], f"add more, or: {way}--split shared, whose scores leak")


HALF_SHARED: dict[str, str] = {"unseen-bg": "objects", "unseen-fg": "backgrounds"}
"""Rules that keep one pool apart, by what all parts share on purpose."""
