"""Shows by simulation what ``bench sweep --until-settled`` is worth: how often it is wrong, and how many runs it saves.

``python -m bench.devtools.settling`` prints a table: for several numbers of cells and gaps between them, the share of
sweeps in which the best cell was left out, that in which the leader at the end was not the best, and the runs made,
each beside a fixed number of seeds for all with its corrected t-test at the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from bench.run.sweep.settling.bound import Bound
from bench.run.sweep.settling.planner import ERROR

FIRST, MOST = 3, 12
SPREAD, SHARED = 0.02, 0.02
"""Standard deviations of a run's score between seeds: its own, and what all cells of a seed share."""


@dataclass(frozen=True)
class Outcome:
    """What many sweeps came to.

    Attributes:
        lost: share in which the best cell was called worse than another.
        wrong: share in which another cell led at the end.
        runs: mean number of runs.
        apart: mean number of cells that were told from the leader.
    """

    lost: float
    wrong: float
    runs: float
    apart: float


def simulate(means: Sequence[float], sweeps: int, sequential: bool) -> Outcome:
    """Sweeps over cells of these true means.

    Args:
        means: of the cells' scores; the first is the best, alone or with others.
        sweeps: to be simulated.
        sequential: until settled; else with `MOST` seeds for all and a corrected test at the end.
    """
    draws = np.random.default_rng(0)
    bound = Bound(FIRST, MOST, ERROR / (len(means) - 1))
    lost = wrong = runs = apart = 0
    for _ in range(sweeps):
        scores = np.asarray(means) + draws.normal(0, SPREAD, (MOST, len(means)))
        scores += draws.normal(0, SHARED, (MOST, 1))
        kept, made, leader = _until_settled(scores, bound) if sequential else _fixed(scores)
        lost += not kept[0]
        wrong += means[leader] < means[0]
        runs += made
        apart += len(means) - sum(kept)
    return Outcome(lost / sweeps, wrong / sweeps, runs / sweeps, apart / sweeps)


def _until_settled(scores: np.ndarray, bound: Bound) -> tuple[list[bool], int, int]:
    """Which cells were never called worse, the runs made, and who led at the end."""
    cells = scores.shape[1]
    alive, made = list(range(cells)), FIRST * cells
    count, leader = FIRST, 0
    while True:
        leader = max(alive, key=lambda cell: scores[:count, cell].mean())
        alive = [
            cell
            for cell in alive
            if cell == leader or bound.verdict((scores[:count, leader] - scores[:count, cell]).tolist()) != "worse"
        ]
        if len(alive) == 1 or count == MOST:
            return [cell in alive for cell in range(cells)], made, leader
        made += len(alive)
        count += 1


def _fixed(scores: np.ndarray) -> tuple[list[bool], int, int]:
    cells = scores.shape[1]
    leader = int(scores.mean(axis=0).argmax())
    level = 1 - ERROR / (cells - 1)
    kept = []
    for cell in range(cells):
        differences = scores[:, leader] - scores[:, cell]
        spread = differences.std(ddof=1)
        statistic = differences.mean() / spread * math.sqrt(MOST) if spread else 0.0
        kept.append(cell == leader or statistic <= special.stdtrit(MOST - 1, level))
    return kept, MOST * cells, leader


SCENARIOS = {
    "2 equal": [0.8, 0.8],
    "10 equal": [0.8] * 10,
    "10, gaps of half a spread": [0.8 - 0.5 * SPREAD * place for place in range(10)],
    "10, one best by two spreads": [0.8, *[0.8 - 2 * SPREAD] * 9],
    "20, gaps of one spread": [0.8 - SPREAD * place for place in range(20)],
}


def table(sweeps: int = 2000) -> str:
    """The figures of all scenarios, as a Markdown table."""
    lines = [
        "| cells | best left out: until settled | fixed | another leads: until settled | fixed | runs: until settled | "
        "fixed | told apart: until settled | fixed |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, means in SCENARIOS.items():
        ours, fixed = (simulate(means, sweeps, sequential) for sequential in (True, False))
        lines.append(
            f"| {name} | {ours.lost:.1%} | {fixed.lost:.1%} | {ours.wrong:.1%} | {fixed.wrong:.1%} | {ours.runs:.1f} | "
            f"{fixed.runs:.0f} | {ours.apart:.2f} | {fixed.apart:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
