"""Each term on its own, on targets made for the purpose: what it sees, and whether it separates good from bad."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.audit.conformance.check import Violation
from bench.audit.conformance.term import far_from
from bench.audit.conformance.term_plugin import TermPlugin
from bench.audit.reference_predictions import logits_of
from bench.audit.setup import BoundTerm, Setup
from bench.core.finding import Fault, Finding, conclude
from registry.contract import Head, Target

_LOW, _MIDDLE = 0.3, 0.6
"""Constant targets: far enough from where a wrong activation would have its optimum to distinguish it."""
_NEAR = 0.1
_BLIND, _NEGLIGIBLE = 0.01, 0.05
_STEPS = (5.0, 20.0, 50.0, 200.0)


def activation(setup: Setup) -> Finding:
    """Whether every term is at its best where the sigmoid that all metrics see gives the target."""
    faults, numbers = [], {}
    for term in setup.terms:
        if _best_at(setup, term, _LOW, _LOW):
            scores = _identity(setup.truth(term.head))
            numbers.update({f"{term.head}_{name}": value for name, value in scores.items()})
            shown = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
            finding = f"{term.name} compares logits with the target: what is perfect to it scores {shown}"
            faults.append(Fault("broken", finding, "let it see the activated value: leave out raw=true"))
        elif _best_at(setup, term, _MIDDLE, _inverse(_inverse(_MIDDLE))):
            truth = setup.truth(term.head)
            reach = _value(term, Head((truth.value * 2 - 1) * _STEPS[-1]), truth)
            numbers[f"{term.head}_floor"] = reach
            finding = f"{term.name} puts a sigmoid on the sigmoid: the best it can reach is {reach:.3f}"
            faults.append(Fault("broken", finding, "apply a single sigmoid per head: leave out twice=true"))
    return conclude(
        "activation", faults, "every term is at its best where the activated prediction is the target", numbers
    )


def bounded(setup: Setup) -> Finding:
    """Whether the loss stops falling as logits grow: towards the targets, and at either constant."""
    faults, numbers = [], {}
    for part in setup.parts:
        target = setup.term_target(part)
        towards = torch.where(target.value > 0.5, 1.0, -1.0)
        inside = bool((target.value >= 0).all() and (target.value <= 1).all())
        cure = "give the term a lower bound" if inside else "bring the targets into [0, 1]"
        for name, direction in (("truth", towards), ("all off", -towards.abs()), ("all on", towards.abs())):
            heads = [Head(step * direction) for step in _STEPS]
            by_term = {
                term.name: [term.weight * _value(term, head, target) for head in heads]
                for term in setup.terms
                if term.head == part.head
            }
            values = [sum(column) for column in zip(*by_term.values(), strict=True)]
            at = f"{part.head}_{name.replace(' ', '_')}"
            numbers.update({f"{at}_{step:g}": value for step, value in zip(_STEPS, values, strict=True)})
            if _falls(values):
                falling = ", ".join(key for key, own in by_term.items() if _falls(own)) or part.head
                shown = f"{falling}: the loss is {values[0]:.1f} at logits of 5 towards {name}, {values[2]:.1f} at 50"
                faults.append(Fault("broken", f"{shown}, {values[3]:.1f} at 200", cure))
    lowest = min(numbers.values())
    return conclude("bounded", faults, f"no lower than {lowest:.2g} at logits up to {_STEPS[-1]:g}", numbers)


def saturated(setup: Setup) -> Finding:
    """Whether every term tells a perfect prediction of noise from another, independent noise."""
    target, other = setup.noise(0), setup.noise(1)
    # Of a term that compares logits with the target, fault enough, the range is still judged fairly.
    pairs = ((_predicting(other), _predicting(target)), (Head(other), Head(target)))
    gaps = {
        term.name: max(
            abs(_value(term, wrong, Target(target)) - _value(term, right, Target(target))) for wrong, right in pairs
        )
        for term in setup.terms
    }
    shares = {term.name: term.weight * gaps[term.name] for term in setup.terms}
    total = sum(shares.values())
    faults = []
    for term in setup.terms:
        gap = gaps[term.name]
        if gap < _BLIND and shares[term.name] < _NEGLIGIBLE:
            finding = f"{term.name} differs by {gap:.4f} between a perfect prediction and independent noise"
            faults.append(Fault("broken", finding, "its range is far too wide: range=1 for values in [0, 1]"))
        elif shares[term.name] < 0.01 * total:
            finding = f"{term.name} makes up {shares[term.name] / total:.2%} of the loss on noise"
            faults.append(Fault("warn", finding, "raise its weight, or leave it out"))
    shown = ", ".join(f"{name} {gap:.2g}" for name, gap in gaps.items())
    return conclude("saturated", faults, f"perfect to independent noise: {shown}", gaps)


def pooled(setup: Setup) -> Finding:
    """Whether a batch's value is the mean of its images' values: else the loss depends on the batch."""
    spread = torch.linspace(0.2, 1, len(setup.quartet)).view(-1, 1, 1, 1)
    target, other = setup.noise(2) * spread, setup.noise(3)
    faults = []
    for term in setup.terms:
        whole = _value(term, _predicting(other), Target(target))
        alone = [_value(term, _predicting(other[i : i + 1]), Target(target[i : i + 1])) for i in range(len(target))]
        mean = sum(alone) / len(alone)
        if abs(whole - mean) > 1e-3 * max(abs(mean), 1e-3):
            finding = f"{term.name} is {whole:.3f} over a batch, {mean:.3f} as the mean over its images"
            faults.append(Fault("warn", finding, "take it per image: leave out pool=batch"))
    return conclude("pooled", faults, "every term is a mean over images")


def degenerate(setup: Setup) -> Finding:
    """Whether terms and their gradients stay finite on empty and full masks, and on depth that is nowhere known."""
    faults = []
    zeros, full = torch.zeros_like(setup.noise(0)), torch.ones_like(setup.noise(0))
    cases = {
        "mask": {"an empty mask": Target(zeros), "a full mask": Target(full)},
        "depth": {"constant depth": Target(zeros + 0.5, full), "unknown depth": Target(zeros, zeros)},
    }
    for term in setup.terms:
        for name, target in cases[term.head].items():
            for prediction in (zeros, logits_of(target.value)):
                logits = prediction.clone().requires_grad_()
                value = term.run(Head(logits), target)
                slope = _gradient(value, logits)
                if not (torch.isfinite(value) and torch.isfinite(slope).all()):
                    faults.append(Fault("broken", f"{term.name} is not finite on {name}", "add an epsilon to the term"))
        faults += _validity(setup, term)
    unique = list(dict.fromkeys(faults))
    return conclude("degenerate", unique, "terms are finite on empty and full masks, and see known depth only")


def far_logits(setup: Setup) -> Finding:
    """Whether terms and their gradients stay finite for logits within +-10,000."""
    faults = []
    for term in setup.terms:
        try:
            far_from(TermPlugin(term.name, term.run, (term.head,)), setup.truth(term.head), term.head)
        except Violation as violation:
            faults.append(Fault("broken", f"{term.name}: {violation}", "compute with logits, or clamp before a log"))
    return conclude("far_logits", faults, "terms and their gradients are finite for logits within +-10,000")


def _validity(setup: Setup, term: BoundTerm) -> list[Fault]:
    """Whether a depth term looks at pixels whose depth is unknown."""
    if term.head != "depth":
        return []
    target, other = setup.noise(4), setup.noise(5)
    valid = torch.ones_like(target)
    valid[..., : valid.shape[-1] // 2] = 0
    changed = torch.where(valid > 0.5, other, 1 - other)
    values = [_value(term, _predicting(values), Target(target, valid)) for values in (other, changed)]
    if abs(values[0] - values[1]) <= 1e-4 * max(1e-3, abs(values[0])):
        return []
    known = setup.truth("depth").valid
    holes = known is not None and bool((known < 0.5).any())
    finding = f"{term.name} changes from {values[0]:.3f} to {values[1]:.3f} with pixels whose depth is unknown"
    return [Fault("broken" if holes else "warn", finding, "count pixels where target.valid is 1 only")]


def _identity(truth: Target) -> dict[str, float]:
    """MAE, RMSE and soft Dice of a map whose logits, not values, equal the target."""
    value = truth.value if truth.valid is None else truth.value[truth.valid > 0.5]
    shown = torch.sigmoid(value)
    error = shown - value
    dice = 2 * (shown * value).sum() / (shown.sum() + value.sum())
    return {"MAE": float(error.abs().mean()), "RMSE": float(error.square().mean().sqrt()), "Dice": float(dice)}


def _best_at(setup: Setup, term: BoundTerm, constant: float, logit: float) -> bool:
    """Whether on a constant target the term has a minimum at this logit, lower than at the target's own."""
    target = Target(torch.full_like(setup.noise(0), constant))

    def at(level: float) -> float:
        return _value(term, Head(torch.full_like(target.value, level)), target)

    here, own = at(logit), at(_inverse(constant))
    return here < own - 1e-6 and here < min(at(logit - _NEAR), at(logit + _NEAR))


def _predicting(values: Tensor) -> Head:
    """A head that says ``values`` in [0, 1]."""
    return Head(logits_of(values))


def _inverse(value: float) -> float:
    return math.log(value / (1 - value))


def _falls(values: list[float]) -> bool:
    """Whether values at `_STEPS` go on falling: along a straight line the last step is five times the step before."""
    before, after = values[1] - values[2], values[2] - values[3]
    return before > 1e-3 * (1 + abs(values[0])) and after > 2 * before


def _value(term: BoundTerm, prediction: Head, target: Target) -> float:
    with torch.no_grad():
        return float(term.run(prediction, target))


def _gradient(value: Tensor, logits: Tensor) -> Tensor:
    if not value.requires_grad:
        return torch.zeros_like(logits)
    (slope,) = torch.autograd.grad(value, logits, allow_unused=True)
    return torch.zeros_like(logits) if slope is None else slope
