"""``python -m bench.devtools.same_cell FOLDER``: cells set against themselves, on disjoint seeds of real runs.

Whatever is `better` or `worse` is false. The folder holds records of many seeds of a cell or of several, such
as ``bench run --model unet --loss bce_ssim --protocol quick --seeds 16 --results FOLDER`` leaves.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.core.record.metric_facts import MetricFacts
from bench.report.markdown import table
from bench.results import store
from bench.results.aligned import Aligned
from bench.results.board import Row, rows
from bench.results.compare import MARGIN
from bench.results.metric_facts import facts_in, find_key, shown
from bench.results.row_names import label
from bench.results.stats.difference import Difference
from bench.results.stats.pairing import Pairing
from bench.results.stats.student import half_width
from bench.results.stats.verdict import decide, lacking

SIZES = (2, 3, 4)
"""Seeds of either side."""

DEALS = 400
"""How often the seeds are dealt out anew; with fewer, the luck of the deals adds to the error."""


@dataclass(frozen=True)
class Rate:
    """How often cells were found to differ from themselves.

    Attributes:
        comparisons: how many were made; they share runs.
        share: of them that ended in ``better`` or ``worse``.
        error: standard error of the share, from leaving out each run in turn.
        runs: how many.
        freedom: degrees of freedom of ``error``.
    """

    comparisons: int
    share: float
    error: float
    runs: int
    freedom: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval, by Student's t on the logit of the share.

        A share near 0 scatters further upwards than downwards; on its own scale its interval would reach below 0 where
        false verdicts were found. Where none was, it ends at the rate at which that had a chance of 2.5 %.

        Source: Korn and Graubard, Analysis of Health Surveys, 1999, on proportions from clustered samples.
        """
        if self.share in (0, 1):
            reach = 1 - math.pow(0.025, 2 / self.runs)  # runs / 2 comparisons share none
            return (0.0, reach) if self.share == 0 else (1 - reach, 1.0)
        if math.isinf(self.error):
            return 0.0, 1.0
        middle = math.log(self.share / (1 - self.share))
        half = float(half_width(self.error / (self.share * (1 - self.share)), self.freedom))
        low, high = (1 / (1 + math.exp(-end)) for end in (middle - half, middle + half))
        return low, high


def rate_of(false: npt.NDArray[np.bool_], takes_part: npt.NDArray[np.bool_]) -> Rate:
    """The rate over comparisons of a cell with itself.

    Args:
        false: (comparisons, metrics).
        takes_part: which runs take part in each, (comparisons, runs).
    """
    runs = takes_part.shape[1]
    without = [float(false[~takes_part[:, run]].mean()) for run in range(runs) if not takes_part[:, run].all()]
    # Runs that cannot be left out, since every comparison needs them, leave the rate without an error of its own.
    error = math.sqrt((len(without) - 1) * float(np.var(without))) if len(without) == runs else math.inf
    return Rate(false.size, float(false.mean()), error, runs, runs - 1)


def pooled(cells: Sequence[Rate]) -> Rate:
    """The mean of several cells' rates, each from its own runs; degrees of freedom by Satterthwaite."""
    share = float(np.mean([rate.share for rate in cells]))
    squares = [rate.error**2 for rate in cells]
    runs = sum(rate.runs for rate in cells)
    fourth = sum(square**2 / rate.freedom for square, rate in zip(squares, cells, strict=True))
    freedom = sum(squares) ** 2 / fourth if 0 < fourth < math.inf else runs - len(cells)
    return Rate(sum(rate.comparisons for rate in cells), share, math.sqrt(sum(squares)) / len(cells), runs, freedom)


def rates(results: Path, size: int, metrics: Sequence[str] = (), deals: int = DEALS) -> dict[str, Rate]:
    """False verdicts of every cell that has seeds enough, by the cell's label.

    The seeds are dealt out at random into pairs of disjoint subsets, again and again.

    Args:
        results: folder of records.
        size: seeds of either side.
        metrics: keys, those that a cell lacks do not count; empty for what `bench compare` shows.
        deals: how many.

    Raises:
        UnknownName: no such metric.
        BadData: records that cannot be read, or have no per-image metrics.
    """
    records = store.read_all(results)
    known = facts_in(record for _, record in records)
    keys = [find_key(name, known) for name in metrics] or shown(known, "compared")
    facts = {key: known[key] for key in keys}
    found = {}
    for row in rows(records):
        if row.learns and len(row.records) >= 2 * size:
            found[label(row)] = rate_of(*_verdicts(results, row, size, facts, deals))
    return found


def _verdicts(
    results: Path, row: Row, size: int, metrics: Mapping[str, MetricFacts], deals: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    random, seeds = np.random.default_rng(0), list(row.records)
    names = {seed: name for seed, (name, _) in row.records.items()}
    aligned = Aligned.of(results, list(names.values()))
    false, takes_part = [], []
    for _ in range(deals):
        dealt = random.permutation(seeds).tolist()
        for start in range(0, len(dealt) - 2 * size + 1, 2 * size):
            sides = dealt[start : start + size], dealt[start + size : start + 2 * size]
            takes_part.append([seed in (*sides[0], *sides[1]) for seed in seeds])
            held = [(key, facts) for key, facts in metrics.items() if _has(aligned, key)]
            files = [names[seed] for seed in sides[0]], [names[seed] for seed in sides[1]]
            false.append([_differs(aligned, sides, files, key, facts) for key, facts in held])
    return np.array(false, dtype=np.bool_), np.array(takes_part, dtype=np.bool_)


def _has(aligned: Aligned, metric: str) -> bool:
    return all(metric in table and not np.isnan(table[metric]).all() for table in aligned.tables.values())


def _differs(
    aligned: Aligned,
    seeds: tuple[list[int], list[int]],
    files: tuple[list[str], list[str]],
    metric: str,
    facts: MetricFacts,
) -> bool:
    a, b = (aligned.scored(side, metric, facts) for side in files)
    difference = Difference.of(a, b, aligned.grouping, Pairing.of(*seeds))
    margin = lacking(MARGIN, float(difference.a.mean()), float(difference.b.mean()), facts.perfect)
    return decide(*difference.interval(), facts.higher_is_better, margin) in ("better", "worse")


def page(results: Path, metrics: Sequence[str], deals: int) -> str:
    """A table of rates, a row per size and cell, and a row for all cells together."""
    body = []
    for size in SIZES:
        found = rates(results, size, metrics, deals)
        together = {"all": pooled(list(found.values()))} if len(found) > 1 else {}
        for name, rate in (found | together).items():
            low, high = rate.interval
            sides = f"{size} against {size}"
            body.append([name, sides, f"{rate.comparisons:,}", f"{rate.share:.1%}", f"{low:.1%} to {high:.1%}"])
    return table(["cell", "seeds", "findings", "false verdicts", "95 % interval"], body)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.same_cell", description=__doc__)
    parser.add_argument("folder", type=Path, help="of records")
    parser.add_argument("--metric", action="append", help="key; repeatable; default: what bench compare shows")
    parser.add_argument("--deals", type=int, default=DEALS, help="how often the seeds are dealt out anew")
    options = parser.parse_args()
    print(page(options.folder, options.metric or (), options.deals), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
