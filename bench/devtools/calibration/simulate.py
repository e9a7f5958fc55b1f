"""Simulated comparisons: how often intervals hold the truth, verdicts err, and what is announced comes true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.devtools.calibration.scenarios import MARGIN, SCENARIOS, Scenario, layout
from bench.results.stats.components import Components, difference_of
from bench.results.stats.difference import Difference
from bench.results.stats.grouping import Grouping
from bench.results.stats.machines import machine_means
from bench.results.stats.more_seeds import CANDIDATES, MoreSeeds
from bench.results.stats.pairing import Pairing
from bench.results.stats.scored import Scored
from bench.results.stats.student import Values, half_width

Flags = npt.NDArray[np.bool_]
_BATCH = 500


@dataclass(frozen=True)
class Outcome:
    """Shares of simulated comparisons.

    Attributes:
        covered: intervals that hold the true difference.
        apart: verdicts ``better`` or ``worse``: false where the true difference is 0, power where it is not.
        width: median half-width of the intervals.
    """

    covered: float
    apart: float
    width: float


def outcome(
    scenario: Scenario, seeds: int, difference: float = 0.0, draws: int = 2000, grouping: Grouping | None = None
) -> Outcome:
    """Compare two cells many times, seeds paired.

    Args:
        scenario: how they vary.
        seeds: of each.
        difference: the true difference.
        draws: comparisons.
        grouping: of the test images; `layout` by default.
    """
    groups, random = grouping or layout(), np.random.default_rng(seeds)
    parts = [
        Components.of(
            difference + scenario.images(groups, random, size) + scenario.seeds(groups, random, size, seeds), groups
        )
        for size in _batches(draws)
    ]
    return _outcome(parts, difference)


def unpaired(scenario: Scenario, seeds: tuple[int, int], draws: int = 2000) -> Outcome:
    """Compare a cell with itself, on disjoint seeds of either side.

    Args:
        scenario: of the difference between two runs; each run has half its variance.
        seeds: of A and of B.
        draws: comparisons.
    """
    groups, random = layout(), np.random.default_rng(seeds)
    parts = []
    for size in _batches(draws):
        sides = [scenario.seeds(groups, random, size, count) / np.sqrt(2) for count in seeds]
        a, b = (Components.of(side, groups) for side in sides)
        by_image = sides[0].mean(1) - sides[1].mean(1)
        images = groups.variance(by_image - by_image.mean(-1, keepdims=True)) - a.interaction - b.interaction
        parts.append(difference_of(a, b, np.maximum(images, 0.0)))
    return _outcome(parts, 0.0)


def pooled(seeds: Sequence[int], machine: float, draws: int = 2000, as_seeds: bool = False) -> Outcome:
    """Compare two equal cells whose machines are pooled, each on machines of its own.

    Args:
        seeds: on each machine, of either cell.
        machine: standard deviation that the choice of a machine brings to a run.
        draws: comparisons.
        as_seeds: take all seeds for seeds of the same machine instead, which is wrong.
    """
    groups, random = layout(), np.random.default_rng(len(seeds))
    scenario = SCENARIOS["`unet` - `wnet`, Dice, seeds independent"]
    found = []
    for _ in range(draws):
        sides = []
        shared = scenario.images(groups, random, 1)[0]
        for sign in (-1, 1):
            parts = [
                sign * shared / 2
                + machine * random.standard_normal()
                + scenario.seeds(groups, random, 1, count)[0] / np.sqrt(2)
                for count in seeds
            ]
            side = Scored(np.concatenate(parts)) if as_seeds else machine_means([Scored(part) for part in parts])
            sides.append(side)
        a, b = (tuple(range(len(side.values))) for side in sides)
        found.append(Difference.of(sides[0], sides[1], groups, Pairing(a, b, paired=False)).components)
    return _outcome([_joined(found)], 0.0)


@dataclass(frozen=True)
class Announced:
    """What became of announcements of further seeds.

    Attributes:
        numbers: for each undecided comparison that was given a number of further seeds, whether it settled with them.
        images: for each that was referred to more test images, whether it settled with 100 further seeds all the same.
    """

    numbers: list[bool]
    images: list[bool]


def announced(scenario: Scenario, seeds: int, difference: float, draws: int = 100) -> Announced:
    """Take undecided comparisons further, on the same test images, the true effect being what was observed at first.

    Args:
        scenario: how the cells vary.
        seeds: at first.
        difference: the true difference at first.
        draws: comparisons, of which those count that are undecided.
    """
    groups, random = layout(), np.random.default_rng(seeds)
    fixed = scenario.images(groups, random, draws)
    runs = difference + fixed + scenario.seeds(groups, random, draws, seeds)
    first = Components.of(runs, groups)
    numbers: list[bool] = []
    images: list[bool] = []
    for draw in np.flatnonzero(~_settled(first)).tolist():
        more = MoreSeeds.of(_single(first, draw), seeds, MARGIN)
        if more.count is None and not more.images_instead:
            continue
        further = scenario.seeds(groups, random, 1, more.count or CANDIDATES[-1])[0]
        further += float(first.mean[draw]) + fixed[draw] - fixed[draw].mean()
        settled = bool(_settled(Components.of(np.concatenate([runs[draw], further]), groups)))
        (images if more.count is None else numbers).append(settled)
    return Announced(numbers, images)


def _batches(draws: int) -> list[int]:
    return [min(_BATCH, draws - start) for start in range(0, draws, _BATCH)]


def _outcome(parts: list[Components], difference: float) -> Outcome:
    mean = np.concatenate([part.mean for part in parts])
    half = np.concatenate([_half(part) for part in parts])
    apart = (np.abs(mean) > half) & (np.abs(mean) + half > MARGIN)
    return Outcome(float((np.abs(mean - difference) <= half).mean()), float(apart.mean()), float(np.median(half)))


def _half(part: Components) -> Values:
    return half_width(np.sqrt(part.variance), part.freedom)


def _settled(part: Components) -> Flags:
    size, half = np.abs(part.mean), _half(part)
    return np.asarray((size > half) | (size + half <= MARGIN))


def _joined(found: Sequence[Components]) -> Components:
    mean, seeds, images, interaction, freedom = (
        np.array([getattr(part, name) for part in found])
        for name in ("mean", "seeds", "images", "interaction", "seed_freedom")
    )
    return Components(mean, seeds, images, interaction, freedom, found[0].image_freedom)


def _single(part: Components, draw: int) -> Components:
    return Components(
        part.mean[draw],
        part.seeds[draw],
        part.images[draw],
        part.interaction[draw],
        part.seed_freedom[draw],
        part.image_freedom,
    )
