"""Which stored quartets are in which part: those whose background and object may both be in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bench.core.amount import amount
from bench.core.errors import BadData
from bench.data.counter_random import uniform
from bench.data.split import FRACTIONS, Division, Part, Pool, split_pools
from bench.data.stored.catalogue import QuartetFiles
from bench.data.stored.naming.group_table import OWN_GROUP, spellings
from bench.data.stored.packing.pack import Rows


@dataclass(frozen=True)
class Parts:
    """Quartets by part.

    Attributes:
        rows: of each part, in an order that the seed decides.
        groups: number of the background group and of the object group of every quartet, (N,) each.
        division: the split of the pools.
        left_out: quartets in no part.
        unlisted: those among them whose background or object is in no part either; the others' are of different parts.
        sizes: background groups, object groups and quartets of each part.
    """

    rows: dict[Part, Rows]
    groups: tuple[Rows, Rows]
    division: Division
    left_out: int
    unlisted: int
    sizes: dict[Part, dict[str, int]]

    @property
    def names_objects(self) -> bool:
        """Whether objects have groups of their own."""
        return "object" in self.division.pools

    def describe(self) -> dict[str, Any]:
        """What a source's description says of it."""
        return {**self.division.describe(), "parts": self.sizes, "left_out": self.left_out}

    def notes(self) -> list[str]:
        """The same in sentences."""
        counts = ", ".join(f"{sizes['quartets']:,} {part}" for part, sizes in self.sizes.items())
        straddles = self.left_out - self.unlisted
        left_out = "".join(
            f"; {count:,} left out, as {why}" * bool(count)
            for count, why in (
                (straddles, "their background and object are of different parts"),
                (self.unlisted, "the split's file has their groups in no part"),
            )
        )
        leaking = "; it names groups in several parts: scores leak" * (
            self.division.digest is not None and self.division.leaks
        )
        return [f"split {self.division.rule}: {counts}{left_out}{leaking}"]


def share_out(entries: Sequence[QuartetFiles], seed: int, rule: str, way: str = "") -> Parts:
    """Share quartets out over the parts.

    Where a rule allows a quartet in several parts (``shared``), it is put into one of them, at random.

    Args:
        entries: the quartets.
        seed: decides the split, and which part such a quartet is put into.
        rule: see `split_pools`.
        way: what to do where there are too few backgrounds.

    Raises:
        BadData: too few quartets or groups, or a part that nothing is left for.
        BenchError: an unknown rule.
    """
    if len(entries) < len(FRACTIONS):
        count = f"only {amount(len(entries), 'quartet')}"
        reason = f"{count}: train, val and test need one each, {len(FRACTIONS)} at least"
        raise BadData([("split", reason)], "add pictures")
    named = all(entry.item for entry in entries)
    columns: dict[Pool, list[str]] = {"background": [entry.background for entry in entries]}
    if named:
        columns["object"] = [entry.item for entry in entries]
    if named and columns["object"] == columns["background"]:
        del columns["object"]
    called = _called(entries, columns) if rule.endswith(".json") else None
    ways: dict[Pool, str] = {"background": way, "object": "--split unseen-bg, which shares objects"}
    if "object" in columns:
        ways["background"] += "; --split unseen-fg, which shares backgrounds" if way else ""
    division = split_pools({pool: Counter(names) for pool, names in columns.items()}, seed, rule, _WHAT, ways, called)
    allowed = np.ones((len(entries), len(FRACTIONS)), dtype=np.bool_)
    for pool, names in columns.items():
        for at, part in enumerate(FRACTIONS):
            members = set(division.pools[pool].groups[part])
            allowed[:, at] &= np.fromiter((name in members for name in names), dtype=np.bool_, count=len(names))
    order: Rows = uniform(seed, "stored/order", torch.arange(len(entries)), 1)[:, 0].argsort(stable=True).numpy()
    chosen = _choose(allowed[order])[np.argsort(order)]
    rows = {part: order[chosen[order] == at] for at, part in enumerate(FRACTIONS)}
    empty = [part for part, some in rows.items() if not len(some)]
    if empty:
        what = " and ".join(empty)
        reason = f"no quartet is left for {what}: too few have a background and an object of the same part"
        if rule.endswith(".json"):
            raise BadData([(rule, reason)], f"name groups of {what} that have quartets with each other")
        raise BadData([("split", reason)], "let either be shared: --split unseen-bg or unseen-fg; or add more")
    groups = [_numbers(columns["background"]), _numbers(columns.get("object", columns["background"]))]
    sizes = {
        part: {
            "backgrounds": len(np.unique(groups[0][some])),
            "objects": len(np.unique(groups[1][some])) if "object" in columns else 0,
            "quartets": len(some),
        }
        for part, some in rows.items()
    }
    listed = np.ones(len(entries), dtype=np.bool_)
    for pool, names in columns.items():
        members = {name for some in division.pools[pool].groups.values() for name in some}
        listed &= np.fromiter((name in members for name in names), dtype=np.bool_, count=len(names))
    left_out, unlisted = int((chosen < 0).sum()), int((~listed).sum())
    return Parts(rows, (groups[0], groups[1]), division, left_out, unlisted, sizes)


_WHAT: dict[Pool, str] = {"background": "backgrounds", "object": "objects"}


def _called(entries: Sequence[QuartetFiles], columns: Mapping[Pool, Sequence[str]]) -> dict[Pool, dict[str, str]]:
    """What a user may call a group beside its name: its file, where it has only one, and all names without folders."""
    found: dict[Pool, dict[str, str]] = {}
    for pool, groups in columns.items():
        files: dict[str, set[str]] = defaultdict(set)
        for entry, group in zip(entries, groups, strict=True):
            files[group].add(entry.partners.get("bg", entry.image).name if pool == "background" else entry.image.name)
        meant: dict[str, set[str]] = defaultdict(set)
        for group, some in files.items():
            for name in (group.removeprefix(OWN_GROUP), *(some if len(some) == 1 else ())):
                for spelled in spellings(name):
                    meant[spelled].add(group)
        found[pool] = {name: next(iter(some)) for name, some in meant.items() if len(some) == 1}
    return found


def _choose(allowed: npt.NDArray[np.bool_]) -> Rows:
    """One part for each quartet, in their order, of those allowed (N, parts); -1 where none is."""
    chosen = np.full(len(allowed), -1, dtype=np.int64)
    for may in np.unique(allowed, axis=0):
        members = np.flatnonzero((allowed == may).all(1))
        if not may.any():
            continue
        wanted = np.where(may, list(FRACTIONS.values()), 0.0)
        wanted *= len(members) / wanted.sum()
        counts = np.maximum(np.floor(wanted), may).astype(np.int64)  # few as they are, every part gets a quartet
        while counts.sum() != len(members):
            step = 1 if counts.sum() < len(members) else -1
            counts[(step * (wanted - counts) - 9 * (counts + step < 1)).argmax()] += step
        chosen[members] = np.repeat(np.arange(len(FRACTIONS)), counts)
    return chosen


def _numbers(names: Sequence[str]) -> Rows:
    order = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([order[name] for name in names], dtype=np.int64)
