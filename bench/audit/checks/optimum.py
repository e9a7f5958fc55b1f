"""What the whole loss wants: its value at the truth, at a constant and at its optimum, and the metrics there."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.audit.reference_predictions import ReferencePredictions, pixels_with_gradient
from bench.audit.setup import BoundTerm, Setup
from bench.core.finding import Fault, Finding, Grade, conclude

_INFORMATIVE, _LEFT_OUT = 0.01, 0.02
_GOOD, _BAD = 0.85, 0.5
"""Skill (0 the best constant, 1 perfect) below which an optimum is to be doubted, and is wrong."""

_WHY: tuple[tuple[str, str], ...] = (
    ("raw=true", "it compares logits with the target"),
    ("twice=true", "it has two sigmoids"),
    ("guess=true", "its range is guessed from the prediction"),
    ("range=", "its range is not that of the values"),
)
_CURES: tuple[tuple[str, str], ...] = (
    ("raw=true", "let terms see the activated value: leave out raw=true"),
    ("twice=true", "apply a single sigmoid per head: leave out twice=true"),
)


def floor(setup: Setup) -> Finding:
    """Whether the loss prefers the truth to a constant, and what is left of it at its optimum."""
    points, faults, numbers, shown = setup.reference, [], {}, []
    for head in setup.heads:
        perfect, constant, lowest = (p.loss[head] for p in (points.perfect, points.constant, points.optimum))
        numbers.update({f"{head}_perfect": perfect, f"{head}_constant": constant, f"{head}_optimum": lowest})
        at = [f"{value:z.4f}" for value in (perfect, constant, lowest)]
        shown.append(f"{head} {at[0]} at the truth, {at[1]} at a constant, {at[2]} at its optimum")
        if not perfect < constant and setup.has_known_target(head):
            faults.append(Fault("broken", f"a constant is as good as the truth: {shown[-1]}", _advice(setup, head)))
    return conclude("floor", faults, "; ".join(shown), numbers)


def optimum(setup: Setup) -> Finding:
    """Whether the prediction that minimises the loss scores well on the metrics; if not, which term pulls it away."""
    points, faults, numbers = setup.reference, [], {}
    scores = {name: setup.scores(getattr(points, name).logits) for name in ("perfect", "constant", "optimum")}
    for head in setup.heads:
        skills = {}
        for name, facts in ((name, metric.facts) for name, metric in setup.metrics.items()):
            perfect, constant, best = (scores[point].get(name) for point in ("perfect", "constant", "optimum"))
            if facts.head != head or perfect is None or constant is None or best is None:
                continue
            numbers.update({f"{name}_at_optimum": best, f"{name}_at_constant": constant})
            if abs(perfect - constant) > _INFORMATIVE:
                skills[name] = (best - constant) / (perfect - constant)
        worst = min(skills, key=skills.__getitem__, default=None)
        if worst is not None and skills[worst] < _GOOD:
            finding = (
                f"{head}: the loss's own optimum scores {worst} {numbers[f'{worst}_at_optimum']:.3g} "
                f"(a constant {numbers[f'{worst}_at_constant']:.3g}, perfect {setup.metrics[worst].facts.perfect:g})"
            )
            grade: Grade = "broken" if skills[worst] < _BAD else "warn"
            faults.append(Fault(grade, f"{finding}{_culprit(setup, points, head)}", _advice(setup, head)))
    return conclude("optimum", faults, "the prediction that minimises the loss scores well on every metric", numbers)


def coverage(setup: Setup) -> Finding:
    """Whether the loss has a gradient in every pixel whose target is known."""
    quartet, faults, numbers = setup.large, [], {}
    truth: dict[str, Tensor] = {head: getattr(quartet, head) for head in setup.heads}
    for head, has_gradient in pixels_with_gradient(setup.objective, truth, quartet).items():
        target = quartet.target(head)
        known = torch.ones_like(has_gradient) if target is None or target.valid is None else target.valid > 0.5
        share = float((known & ~has_gradient).sum() / known.sum().clamp(min=1))
        numbers[head] = share
        if share > _LEFT_OUT:
            finding = f"{share:.0%} of the known {head} gets no gradient: windows count only where wholly valid"
            faults.append(Fault("warn", finding, f"add a term to {head!r} on single pixels, such as l1"))
    return conclude("coverage", faults, f"terms see every known pixel at {quartet.bg_fg.shape[-1]} px", numbers)


def _culprit(setup: Setup, points: ReferencePredictions, head: str) -> str:
    """The term that gains most by leaving the truth, and why."""
    gains = {
        term: term.weight * (points.perfect.terms[term.name] - points.optimum.terms[term.name])
        for term in setup.terms
        if term.head == head
    }
    term = max(gains, key=gains.__getitem__)
    if gains[term] <= 1e-3 * max(1e-3, abs(points.perfect.loss[head])):
        return ", though no term sees a difference to the truth: the loss does not pin it down"
    values = f"{points.perfect.terms[term.name]:.3f} at the truth, {points.optimum.terms[term.name]:.3f} at the optimum"
    return f", because {term.name} is {values}{_why(setup, term)}"


def _why(setup: Setup, term: BoundTerm) -> str:
    part = next(part for part in setup.parts if part.head == term.head)
    reasons = [why for sign, why in _WHY if sign in term.key]
    if (part.mean, part.std) != (0.0, 1.0):
        reasons.append("its target is standardised")
    if term.head == "depth" and _product(term.key):
        reasons.append("the product overlap of continuous maps is largest where they are 1")
    return f" ({', '.join(reasons)})" if reasons else ""


def _advice(setup: Setup, head: str) -> str:
    """What to do about the terms of a head."""
    part = next(part for part in setup.parts if part.head == head)
    keys = [term.key for term in part.terms]
    if (part.mean, part.std) != (0.0, 1.0):
        return f"take ~standardised off {head!r}"
    for sign, cure in _CURES:
        if any(sign in key for key in keys):
            return cure
    if head == "depth" and any(_product(key) for key in keys):
        return "on depth take dice[overlap=min], or an error such as rmse"
    return f"give {head!r} a term that is least at the truth, such as l1"


def _product(key: str) -> bool:
    return key.partition("[")[0] in ("dice", "iou") and "overlap=min" not in key
