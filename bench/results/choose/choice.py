"""`Choice`: the rows of a board that meet limits, which of them nothing beats, and how sure that is; from records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.core.errors import BenchError
from bench.core.record.metric_facts import MetricFacts
from bench.results import store
from bench.results.board import Group, groups_of
from bench.results.board.alarms import alarms, few_groups
from bench.results.board.row import Row
from bench.results.board.standings import MOST, Images, entries, ranking, why_unranked
from bench.results.choose.front import Flags, front
from bench.results.choose.limit import LATENCY, MEMORY, PARAMETERS, Limit
from bench.results.row_names import stands_within
from bench.results.stats.ranks.figure_draws import DRAWS, figure_draws
from bench.results.stats.student import Values, half_width
from bench.results.store.latency import Latency

NEAREST = 3
"""Candidates named for a limit where nothing meets all of them."""

Measure = Callable[[Sequence[Row]], Sequence[Latency]]
"""Gives the latency of each row."""


@dataclass(frozen=True)
class Candidate:
    """A row of the board.

    Attributes:
        row: it.
        figures: by metric or cost; NaN where it is unknown.
        latency: as it was measured; None where it was not.
        meets: the limits, as its figures stand.
        front: whether it meets them and nothing else that does beats it.
        chance_meets, chance_front: probabilities of either; None where they are unknown.
        unknown: why, see `bench.results.board.standings.why_unranked`; empty where they are known.
    """

    row: Row
    figures: Mapping[str, float]
    latency: Latency | None
    meets: bool
    front: bool
    chance_meets: float | None
    chance_front: float | None
    unknown: str = ""


@dataclass(frozen=True)
class Choice:
    """The candidates to choose from.

    Attributes:
        board: its title.
        objectives: metrics and costs in which candidates are compared.
        facts: what is known of the metrics.
        limits: that were given.
        candidates: those on the front first, then others that meet the limits, then the rest; the best first in each.
        nearest: by limit, the candidates that miss it by least, where none meets all; those that meet all others first.
        alarms: what makes the board doubtful.
        few: what its test images show little of, a sentence each.
    """

    board: str
    objectives: Sequence[str]
    facts: Mapping[str, MetricFacts]
    limits: Sequence[Limit]
    candidates: Sequence[Candidate]
    nearest: Mapping[Limit, Sequence[Candidate]]
    alarms: Sequence[str] = ()
    few: Sequence[str] = ()


def board_of(results: Path, within: str = "") -> Group:
    """The board to choose from.

    Args:
        results: folder of records.
        within: part of its heading.

    Raises:
        BenchError: no board has it, or several have.
    """
    every = [group for group in groups_of(store.read_all(results)) if any(row.learns for row in group.board)]
    found = [group for group in every if any(stands_within(row, within) for row in group.board)]
    if len(found) == 1:
        return found[0]
    titles = "; ".join(group.title.replace("*", "") for group in found or every)
    if not every:
        raise BenchError(f"no model that learns has finished in {results}; a first one: bench run --model unet")
    if found:
        raise BenchError(f"there are several boards; choose one of them with --within: {titles}")
    raise BenchError(f"no board with a model that learns is called {within!r}; the boards are: {titles}")


def choose(
    results: Path, group: Group, limits: Sequence[Limit], metrics: Sequence[str] = (), measure: Measure | None = None
) -> Choice:
    """Choose from a board.

    Args:
        results: folder of its records.
        group: the board.
        limits: on metrics, latency, memory.
        metrics: that count beside those of the limits; by default the metric that the board is ranked by.
        measure: gives latencies; without it models are compared by their parameters instead.

    Raises:
        BenchError: no row has all these metrics.
    """
    named = list(dict.fromkeys([limit.name for limit in limits if limit.name in group.metrics] + [*metrics]))
    named = named or [ranking([name for name, facts in group.metrics.items() if facts.headline], group.metrics)]
    rows = [row for row in group.board if row.learns and all(row.values(name) for name in named)]
    if not rows:
        raise BenchError(f"no row of {group.title.replace('*', '')} has {' and '.join(named)}")
    latencies = list(measure(rows)) if measure is not None else [None] * len(rows)
    costs = [LATENCY, MEMORY] if measure is not None else [PARAMETERS]
    objectives = [*named, *costs]
    signs = np.array(
        [1.0 if name in group.metrics and group.metrics[name].higher_is_better else -1.0 for name in objectives]
    )
    values = np.array([[*(row.mean(name) for name in named), *_costs(row, latency, costs)]
                       for row, latency in zip(rows, latencies, strict=True)], dtype=np.float64)  # fmt: skip
    meets = _meeting(values, objectives, limits)
    on = front(values * signs, meets)
    images = Images(results)
    several = [i for i, row in enumerate(rows) if all(len(row.values(name)) > 1 for name in named)]
    several = sorted(several, key=lambda i: -float((values * signs)[i, 0]))[:MOST]
    facts = {name: group.metrics[name] for name in named}
    chances = _chances(rows, several, facts, images, values, latencies, signs, objectives, limits)
    found = []
    for i, (row, line, latency) in enumerate(zip(rows, values.tolist(), latencies, strict=True)):
        figures = dict(zip(objectives, line, strict=True))
        unknown = "" if i in chances else why_unranked(row, facts, images, i in several)
        sure, leads = chances.get(i, (None, None))
        found.append(Candidate(row, figures, latency, bool(meets[i]), bool(on[i]), sure, leads, unknown))
    found.sort(key=lambda each: (not each.front, not each.meets, -signs[0] * each.figures[objectives[0]]))
    nearest = {} if any(meets) else {limit: _nearest(found, limit, limits) for limit in limits}
    return Choice(
        group.title, objectives, group.metrics, limits, found, nearest, alarms(group, images), few_groups(group, images)
    )


def _costs(row: Row, latency: Latency | None, costs: Sequence[str]) -> list[float]:
    if latency is None:
        return [float(row.any.parameters)] * len(costs)
    return [latency.ms, latency.peak_mib]


def _meeting(values: Values, objectives: Sequence[str], limits: Sequence[Limit]) -> Flags:
    """Of figures (..., candidates, objectives), which meet all limits, (..., candidates)."""
    flags = np.ones(values.shape[:-1], dtype=np.bool_)
    for limit in limits:
        flags &= limit.met(values[..., objectives.index(limit.name)])
    return flags


def _chances(
    rows: Sequence[Row],
    several: Sequence[int],
    metrics: Mapping[str, MetricFacts],
    images: Images,
    values: Values,
    latencies: Sequence[Latency | None],
    signs: Values,
    objectives: Sequence[str],
    limits: Sequence[Limit],
) -> dict[int, tuple[float, float]]:
    """Of rows with several seeds, how probably they meet the limits, and are on the front of these rows."""
    by_metric, grouping = entries([rows[i] for i in several], metrics, images)
    if grouping is None:
        return {}
    random = np.random.default_rng(0)  # the same records give the same answer
    drawn = figure_draws(list(by_metric.values()), grouping, random)
    kept = [i for i in several if str(id(rows[i])) in drawn]
    if not kept:
        return {}
    whole = np.repeat(values[None, kept], DRAWS, axis=0)
    for place, i in enumerate(kept):
        whole[:, place, : len(metrics)] = drawn[str(id(rows[i]))]
        latency = latencies[i]
        if latency is not None:
            freedom = latency.restarts - 1
            half = (latency.high - latency.low) / 2 if latency.low > 0 else latency.high - latency.ms  # cut at 0
            error = half / float(half_width(1.0, freedom))
            whole[:, place, objectives.index(LATENCY)] += error * random.standard_t(freedom, DRAWS)
    meets = _meeting(whole, objectives, limits)
    on = front(whole * signs, meets)
    return {i: (float(m), float(f)) for i, m, f in zip(kept, meets.mean(0), on.mean(0), strict=True)}


def _nearest(candidates: Sequence[Candidate], limit: Limit, limits: Sequence[Limit]) -> list[Candidate]:
    def order(candidate: Candidate) -> tuple[bool, float]:
        others = any(other.shortfall(candidate.figures[other.name]) > 0 for other in limits if other != limit)
        return others, limit.shortfall(candidate.figures[limit.name])

    missing = [candidate for candidate in candidates if limit.shortfall(candidate.figures[limit.name]) > 0]
    return sorted(missing, key=order)[:NEAREST]
