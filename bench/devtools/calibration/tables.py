"""Simulated tables: how often a row that is as good as the leader is called worse, and how often a worse row is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.devtools.calibration.scenarios import Before, Scenario, layout
from bench.results.stats.ranks.ranking import Contender, rank
from bench.results.stats.scored import Scored

_UNKNOWN = Before((), ())
ROWS = tuple(
    Scenario(seed, 0.02, 0.03, 0.04, 0.055, 0.01, 0.012, _UNKNOWN) for seed in (0.012, 0.012, 0.01, 0.014, 0.032, 0.02)
)
"""Six cells whose seeds vary as those of the committed records do, `resnet_unet` thrice as much as others."""


@dataclass(frozen=True)
class TableOutcome:
    """Shares over simulated tables.

    Attributes:
        false: tables in which a row as good as any other is called worse than the leader, all being equal.
        power: rows called worse among those that are, half of them being so.
    """

    false: float
    power: float


def table_outcome(seeds: int, difference: float, tables: int = 500, rows: tuple[Scenario, ...] = ROWS) -> TableOutcome:
    """Rank many tables.

    Args:
        seeds: of each row.
        difference: what the second half of the rows lacks in the tables that show power.
        tables: of either kind.
        rows: how each varies.
    """
    groups, random = layout(), np.random.default_rng(seeds)
    false: list[float] = []
    power: list[float] = []
    for lack, found in ((0.0, false), (difference, power)):
        for _ in range(tables):
            entries = {}
            for number, row in enumerate(rows):
                values = row.images(groups, random, 1)[0] + row.seeds(groups, random, 1, seeds)[0]
                worse = 2 * number >= len(rows)
                entries[f"{number}"] = Contender(tuple(range(seeds)), Scored(values - lack * worse))
            below = [(place.tie or 1) > 1 for place in rank(entries, groups, higher_is_better=True).values()]
            found.append(float(any(below)) if not lack else float(np.mean(below[len(rows) // 2 :])))
    return TableOutcome(float(np.mean(false)), float(np.mean(power)))
