"""From a difference and its interval to a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.results.stats.bounds import UNBOUNDED, Bounds, of_differences, within
from bench.results.stats.difference import Difference
from bench.results.stats.more_seeds import MoreSeeds

Verdict = Literal["better", "worse", "equal", "cannot separate", "no verdict"]


@dataclass(frozen=True)
class MetricComparison:
    """How A compares with B on a metric.

    Attributes:
        a, b: their figures, means over seeds.
        effect: ``a - b`` with its 95 % interval ``low`` to ``high`` over seeds, backgrounds and objects; over images
            alone where ``verdict`` is ``no verdict``.
        error, freedom, p: standard error of the effect, its degrees of freedom, and two-sided p of no difference.
        seed_low, seed_high: the smallest and the largest effect that a pair of seeds shows, over all images.
        seeds: repetitions: pairs, or those of the side that has fewer.
        margin: an interval within plus or minus this is ``equal``.
        verdict: on A; ``no verdict`` where a single seed, background or object says nothing about others.
        few: kinds of groups that are few, in words, such as ``4 backgrounds``: the interval is wide and less sure.
        more: how many further seeds would probably settle it; None if it is settled, or has no verdict.
    """

    a: float
    b: float
    effect: float
    low: float
    high: float
    error: float
    freedom: float
    p: float
    seed_low: float
    seed_high: float
    seeds: int
    margin: float
    verdict: Verdict
    few: tuple[str, ...]
    more: MoreSeeds | None


def lacking(share: float, a: float, b: float, perfect: float) -> float:
    """A share of what both sides lack of a perfect score on average; the same whichever of them is A."""
    return share * (abs(perfect - a) + abs(perfect - b)) / 2


def judge(
    difference: Difference, higher_is_better: bool, margin: float, bounds: Bounds = UNBOUNDED
) -> MetricComparison:
    """The finding on a difference.

    An interval inside the margin is ``equal`` even where it excludes 0: such a difference is real and of no account.

    Args:
        difference: A minus B.
        higher_is_better: direction of the metric.
        margin: in the metric's units, at least 0.
        bounds: of the metric, to which the interval is cut; the verdict is that of the whole one.
    """
    low, high = difference.interval()
    verdict: Verdict = decide(low, high, higher_is_better, margin) if difference.settles else "no verdict"
    undecided = verdict == "cannot separate" and difference.pairing.random
    by_seed = difference.by_seed
    low, high = within(of_differences(bounds), difference.effect, low, high)
    return MetricComparison(
        a=float(difference.a.mean()),
        b=float(difference.b.mean()),
        effect=difference.effect,
        low=low,
        high=high,
        error=difference.error,
        freedom=difference.freedom,
        p=difference.p,
        seed_low=float(by_seed.min()),
        seed_high=float(by_seed.max()),
        seeds=difference.pairing.seeds,
        margin=margin,
        verdict=verdict,
        few=tuple(difference.grouping.few),
        more=MoreSeeds.of(difference.components, difference.pairing.seeds, margin) if undecided else None,
    )


def decide(low: float, high: float, higher_is_better: bool, margin: float) -> Verdict:
    """What an interval of A minus B says of A."""
    if -margin <= low and high <= margin:
        return "equal"
    if low > 0 or high < 0:
        return "better" if (low > 0) == higher_is_better else "worse"
    return "cannot separate"
