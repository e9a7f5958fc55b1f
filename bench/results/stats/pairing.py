"""`Pairing`: which seeds of two cells are set against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pairing:
    """The seeds of A and of B that count.

    Attributes:
        a, b: seeds. Paired, they are of the same length and in the order in which they are compared.
        paired: whether a seed of A and one of B saw the same samples in the same order.
        random: whether either side depends on its seed at all.
    """

    a: tuple[int, ...]
    b: tuple[int, ...]
    paired: bool = True
    random: bool = True

    @classmethod
    def of(cls, a: Sequence[int], b: Sequence[int], a_random: bool = True, b_random: bool = True) -> Pairing:
        """Set two cells' seeds against each other.

        - A side that does not depend on its seed stands against every seed of the other.
        - Seeds that both have are paired, and the others left out, where at least half of the shorter side's are
          common and either two are or that side has a single seed.
        - Otherwise all seeds of both sides count, unpaired.

        Args:
            a, b: distinct seeds, at least one on each side.
            a_random, b_random: whether a side depends on its seed.
        """
        if not a_random or not b_random:
            if not a_random and not b_random:
                return cls(tuple(a[:1]), tuple(b[:1]), random=False)
            return cls(tuple(a[:1]) * len(b), tuple(b)) if b_random else cls(tuple(a), tuple(b[:1]) * len(a))
        common = tuple(seed for seed in a if seed in set(b))
        shorter = min(len(a), len(b))
        if 2 * len(common) >= shorter and (len(common) > 1 or shorter == 1):
            return cls(common, common)
        return cls(tuple(a), tuple(b), paired=False)

    @property
    def seeds(self) -> int:
        """Independent repetitions: pairs, or those of the side that has fewer."""
        return min(len(self.a), len(self.b))

    @property
    def settles(self) -> bool:
        """Whether the repetitions are enough to generalise to seeds that were not run."""
        return not self.random or self.seeds > 1
