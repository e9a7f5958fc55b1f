"""Whether the metrics mean what they claim: perfect is perfect, worse is worse, a constant is not perfect."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.audit.reference_predictions import logits_of
from bench.audit.setup import Setup
from bench.core.finding import Fault, Finding, conclude
from bench.metrics import MetricFacts

_MILD, _BAD = 0.0855, 0.1395
"""Depth errors (RMSE) at which every metric is asked: those at which system 004's inverted one gave 11.7 and 7.17."""
_SHIFTS = (1, 6)
_EXACT = 2e-3
"""How far from its perfect value a metric may be on the truth: a sigmoid never quite reaches 0 or 1."""


def metric_perfect(setup: Setup) -> Finding:
    """Whether every metric is perfect on the truth."""
    scores = setup.scores(_truth(setup))
    faults = []
    for name, value in scores.items():
        metric = setup.metrics[name].facts
        if abs(value - metric.perfect) > _EXACT * max(1.0, abs(metric.perfect)):
            finding = f"{name} is {value:.4g} on the truth, not {metric.perfect:g}"
            faults.append(Fault("broken", finding, _ceiling(metric)))
    return conclude("metric_perfect", faults, f"{len(scores)} metrics are perfect on the truth", scores)


def metric_direction(setup: Setup) -> Finding:
    """Whether every metric gets worse, in the direction it declares, as the prediction does."""
    perfect, mild, bad = (
        setup.scores(logits)
        for logits in (_truth(setup), _worse(setup, _MILD, _SHIFTS[0]), _worse(setup, _BAD, _SHIFTS[1]))
    )
    faults, numbers = [], {}
    for name in perfect:
        metric, values = setup.metrics[name].facts, (perfect[name], mild[name], bad[name])
        numbers.update({f"{name}_mild": values[1], f"{name}_bad": values[2]})
        slack = _EXACT * max(1.0, abs(values[1]))
        sign = 1 if metric.higher_is_better else -1
        shown = f"{name}, declared {'higher' if sign > 0 else 'lower'} is better, is {values[1]:.3g} at a small error"
        if sign * (values[2] - values[1]) > slack or sign * (values[2] - values[0]) > slack:
            finding = f"{shown} and {values[2]:.3g} at a larger one"
            faults.append(Fault("broken", finding, "it is inverted: turn its formula or its direction round"))
        elif max(values) - min(values) <= 1e-9:
            finding = f"{name} is {values[0]:.3g} whatever the prediction"
            faults.append(Fault("warn", finding, "look at its formula: it does not depend on the prediction"))
    return conclude("metric_direction", faults, f"{len(perfect)} metrics get worse as the prediction does", numbers)


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


def _truth(setup: Setup) -> dict[str, Tensor]:
    return {head: logits_of(target.value) for head, target in setup.targets()}


def _worse(setup: Setup, error: float, shift: int) -> dict[str, Tensor]:
    """Masks smeared sideways, and depth off by exactly ``error`` everywhere, up and down by turns."""
    worse = {}
    for head, target in setup.targets():
        value = target.value
        if head == "mask":
            # Smeared: in part in the wrong place, and of another area.
            smeared = torch.maximum(value, value.roll(shift, dims=-1))
            worse[head] = logits_of((1 - error) * smeared + error * 0.5)
            continue
        rows, columns = (torch.arange(side) for side in value.shape[-2:])
        up = (rows[:, None] + columns) % 2 == 0
        # The same direction at every error: what grows is the error alone.
        up = (up | (value < _BAD)) & (value <= 1 - _BAD)
        worse[head] = logits_of(torch.where(up, value + error, value - error))
    return worse
