"""Whether the metrics mean what they claim: perfect is perfect, worse is worse, a constant is not perfect."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from bench.audit.reference_predictions import logits_of
from bench.audit.setup import Setup
from bench.core.finding import Fault, Finding, conclude
from bench.metrics import MetricFacts
from registry.contract import Quartet, Target

_MILD, _BAD = 0.0855, 0.1395
"""Depth errors (RMSE) at which every metric is evaluated: system 004's inverted metric gave 11.7 and 7.17 there."""
_ERRORS = ((_MILD, 1), (_BAD, 6))
"""A small and a large error of depth, and how far masks are smeared, in pixels."""
_PATTERNS, _DROWNED, _NOISE = 3, 2, 5.0
"""An inverted metric is so however errors are spread; a metric that aligns depth may seem so for one spread."""
_EXACT = 2e-3
"""How far from its perfect value a metric may be on the truth: a sigmoid never quite reaches 0 or 1."""


def metric_perfect(setup: Setup) -> Finding:
    """Whether every metric is perfect on the truth."""
    scores = setup.scores(_truth(setup.quartet))
    faults = []
    for name, value in scores.items():
        metric = setup.metrics[name].facts
        if abs(value - metric.perfect) > _EXACT * max(1.0, abs(metric.perfect)):
            finding = f"{name} is {value:.4g} on the truth, not {metric.perfect:g}"
            faults.append(Fault("broken", finding, _ceiling(metric)))
    return conclude("metric_perfect", faults, f"{len(scores)} metrics are perfect on the truth", scores)


def metric_direction(setup: Setup) -> Finding:
    """Whether every metric gets worse, in the direction it declares, as the prediction does."""
    filled = setup.filled
    perfect = setup.scores(_truth(filled), filled)
    trials = [
        tuple(setup.scores(_worse(filled, error, shift, pattern), filled) for error, shift in _ERRORS)
        for pattern in range(_PATTERNS)
    ]
    faults, numbers = [], {}
    for name in perfect:
        metric = setup.metrics[name].facts
        sign = 1 if metric.higher_is_better else -1
        steps = [(perfect[name], mild[name], bad[name]) for mild, bad in trials]
        _, small, large = steps[0]
        numbers.update({f"{name}_mild": small, f"{name}_bad": large})
        if all(_improves(values, sign) for values in steps):
            declared = f"{name}, declared {'higher' if sign > 0 else 'lower'} is better"
            finding = f"{declared}, is {small:.3g} at a small error and {large:.3g} at a larger error"
            faults.append(Fault("broken", finding, "it is inverted: turn its formula or its direction round"))
        elif all(max(values) - min(values) <= 1e-9 for values in steps):
            finding = f"{name} is {small:.3g} whatever the prediction"
            faults.append(Fault("warn", finding, "check its formula: it does not depend on the prediction"))
    return conclude("metric_direction", faults, f"{len(perfect)} metrics get worse as the prediction does", numbers)


def _improves(values: tuple[float, float, float], sign: int) -> bool:
    """Whether a metric is better at the large error than at the small error, or than on the truth."""
    truth, mild, bad = values
    slack = _EXACT * max(1.0, abs(mild))
    return sign * (bad - mild) > slack or sign * (bad - truth) > slack


def metric_constant(setup: Setup) -> Finding:
    """What the loss's best constant scores: no metric may prefer it to the truth."""
    perfect, constant = (setup.scores(p.logits) for p in (setup.reference.perfect, setup.reference.constant))
    faults = []
    for name, value in constant.items():
        metric = setup.metrics[name].facts
        if abs(value - perfect[name]) > _EXACT and metric.better(value, perfect[name]):
            finding = f"{name} is {value:.3g} at a constant and {perfect[name]:.3g} on the truth"
            faults.append(Fault("broken", finding, "do not choose by it: it prefers a constant to the truth"))
    shown = ", ".join(f"{name} {value:.3g}" for name, value in constant.items())
    return conclude("metric_constant", faults, f"the best constant scores {shown}", constant)


def _ceiling(metric: MetricFacts) -> str:
    if metric.head == "depth" and metric.higher_is_better:
        return "overlaps of continuous depth cannot reach 1: take an error or a delta instead"
    return "the metric sees other values than the prediction's, or its formula is off"


def _truth(quartet: Quartet) -> dict[str, Tensor]:
    return {head: logits_of(target.value) for head, target in _targets(quartet)}


def _targets(quartet: Quartet) -> Iterator[tuple[str, Target]]:
    for head in ("mask", "depth"):
        target = quartet.target(head)
        if target is not None:
            yield head, target


def _worse(quartet: Quartet, error: float, shift: int, pattern: int) -> dict[str, Tensor]:
    """Masks smeared sideways, and depth off by exactly ``error`` everywhere: up and down by turns, or by chance.

    The last pattern drowns depth in noise, which no alignment takes away.
    """
    worse = {}
    for head, target in _targets(quartet):
        value = target.value
        if head == "mask":
            # Smeared: in part in the wrong place, and of another area.
            smeared = torch.maximum(value, value.roll(shift, dims=-1))
            worse[head] = logits_of((1 - error) * smeared + error * 0.5)
            continue
        rows, columns = (torch.arange(side) for side in value.shape[-2:])
        up = ((rows[:, None] + columns) % 2 == 0).expand_as(value)
        if pattern:
            noise = torch.rand(value.shape, generator=torch.Generator().manual_seed(pattern))
            if pattern == _DROWNED:
                share = min(1.0, _NOISE * error)
                worse[head] = logits_of((1 - share) * value + share * noise)
                continue
            up = noise < 0.5
        # The same direction at every error: what grows is the error alone.
        up = (up | (value < _BAD)) & (value <= 1 - _BAD)
        worse[head] = logits_of(torch.where(up, value + error, value - error))
    return worse
