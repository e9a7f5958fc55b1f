"""`Row`: a cell on one kind of arithmetic, with the records of its seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench.core.record import MetricFacts, Record
from bench.results.store import Named


@dataclass(frozen=True)
class Row:
    """A cell with the finished records of its seeds.

    Attributes:
        model, recipe: canonical key; the recipe's name while that still means this text, else the text.
        records: by seed, all of the same kind of arithmetic.
        unfinished: by seed, the latest record of those that never finished on it.
        elsewhere: the same cell on other kinds of arithmetic.
        pooled: whether machines are counted as a further random level: a value is then a machine's mean over its seeds.
        alarms: contradictions: two results for the same spec, code and arithmetic.
    """

    model: str
    recipe: str
    records: Mapping[int, Named]
    unfinished: Mapping[int, Named] = field(default_factory=dict)
    elsewhere: Sequence[Row] = ()
    pooled: bool = False
    alarms: Sequence[str] = ()

    @property
    def any(self) -> Record:
        """One of its records, for what all of them share."""
        return next(iter(self.records.values()))[1]

    @property
    def cell(self) -> str:
        """The cell's hash."""
        return self.any.cell

    @property
    def arithmetic(self) -> str:
        """What its bits depend on beside the spec."""
        return self.any.arithmetic_key

    @property
    def mixed(self) -> bool:
        """Whether its seeds were run by different versions of the code."""
        return len({record.code for _, record in self.records.values()}) > 1

    @cached_property
    def learns(self) -> bool:
        """Whether it was trained by gradient; a baseline has no recipe."""
        return any(record.spec.recipe for _, record in self.records.values())

    @property
    def parts(self) -> list[Row]:
        """The rows that its values are of: itself, and those elsewhere if they are pooled."""
        return [self, *(self.elsewhere if self.pooled else ())]

    def values(self, metric: str) -> list[float]:
        """The metric of every seed that has it; of every machine, its mean over seeds, if machines are pooled."""
        if not self.pooled:
            return self._scores.get(metric, [])
        return [statistics.fmean(values) for part in self.parts if (values := part._scores.get(metric))]

    def array(self, metric: str) -> npt.NDArray[np.float64]:
        """Its values as an array, (seeds,)."""
        return np.array(self.values(metric), dtype=np.float64)

    def mean(self, metric: str) -> float | None:
        """Mean of its values."""
        values = self.values(metric)
        return statistics.fmean(values) if values else None

    def spread(self, metric: str) -> float | None:
        """Standard deviation of its values; None for fewer than two."""
        values = self.values(metric)
        if len(values) < 2:
            return None
        mean = statistics.fmean(values)
        return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))

    def gap(self, metric: str, facts: MetricFacts) -> float | None:
        """How much worse the metric is on groups that training has not seen than on those it has, mean over seeds.

        None where no record was tested on both.
        """
        sign = 1 if facts.higher_is_better else -1
        pairs = [
            (record.seen[metric].value, record.test[metric].value)
            for _, record in self.records.values()
            if metric in record.seen and metric in record.test
        ]
        gaps = [sign * (seen - unseen) for seen, unseen in pairs if seen is not None and unseen is not None]
        return statistics.fmean(gaps) if gaps else None

    def on(self, fingerprint: str) -> list[Record]:
        """Its records that a machine made."""
        return [record for _, record in self.records.values() if record.fingerprint == fingerprint]

    @cached_property
    def _scores(self) -> dict[str, list[float]]:
        """By metric the value of every seed that has it: a page needs each a dozen times."""
        found: dict[str, list[float]] = {}
        for _, record in self.records.values():
            for metric, score in record.test.items():
                if score.value is not None:
                    found.setdefault(metric, []).append(score.value)
        return found


def settled(records: Iterable[Named]) -> tuple[dict[int, Named], list[str]]:
    """Which record counts for each seed, of all that a cell has on the same kind of arithmetic.

    Of the same code the first record of a seed stays: on a CPU a second has the same results, else an alarm is raised.
    Of several versions of the code the newest that has all the seeds counts; where none has, the newest of each seed.

    Args:
        records: of finished runs, in any order.

    Returns:
        Records by seed, in the order of the seeds; alarms.
    """
    by_code: dict[str, dict[int, Named]] = {}
    alarms = []
    for name, record in sorted(records, key=_age):
        first_name, first = by_code.setdefault(record.code, {}).setdefault(record.spec.seed, (name, record))
        if record is not first and record.environment.cuda is None and record.test != first.test:
            alarms.append(
                f"seed {record.spec.seed} of `{record.spec.model}` has two results by one code on one kind of "
                f"arithmetic: {first_name}, which counts, and {name}"
            )
    seeds = sorted({seed for made in by_code.values() for seed in made})
    newest = sorted(by_code.values(), key=lambda made: max(map(_age, made.values())), reverse=True)
    whole = next((made for made in newest if len(made) == len(seeds)), None)
    return {seed: (whole or next(made for made in newest if seed in made))[seed] for seed in seeds}, alarms


def _age(named: Named) -> tuple[str, str]:
    return named[1].finished, named[0]
