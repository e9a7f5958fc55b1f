"""`Division`: which backgrounds and objects each part of the data may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Part = Literal["train", "val", "test"]
Pool = Literal["background", "object"]
Groups = Mapping[Part, Sequence[str]]

FRACTIONS: dict[Part, float] = {"train": 0.70, "val": 0.15, "test": 0.15}
POOLS: tuple[Pool, ...] = ("background", "object")


@dataclass(frozen=True)
class Split:
    """The groups of a pool by part.

    Attributes:
        groups: the names of the groups each part may use, in alphabetical order.
    """

    groups: Mapping[Part, tuple[str, ...]]

    @property
    def leaks(self) -> bool:
        """Whether some group stands in two parts."""
        names = [name for part in self.groups.values() for name in part]
        return len(names) != len(set(names))


@dataclass(frozen=True)
class Division:
    """The splits of both pools.

    Attributes:
        rule: what made it, in canonical form.
        pools: the split of each pool.
        digest: of the file that made it, for rules that are files.
    """

    rule: str
    pools: Mapping[Pool, Split]
    digest: str | None = None

    @property
    def leaks(self) -> bool:
        """Whether some background or object stands in two parts."""
        return any(split.leaks for split in self.pools.values())

    def describe(self) -> dict[str, Any]:
        """What a source's description says of it; renamed rules keep their former spelling in it, and so their ids."""
        facts: dict[str, Any] = {"split": RECORDED.get(self.rule, self.rule), "leaks": self.leaks}
        return facts if self.digest is None else {**facts, "split_content": self.digest}


FORMER = {"group": "unseen-both", "random": "shared"}
RECORDED = {new: old for old, new in FORMER.items()}
