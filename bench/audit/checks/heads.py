"""Whether the real model, as it begins, sends a gradient from every head to every parameter."""

from __future__ import annotations

import torch
from torch import nn

from bench.audit.setup import Setup
from bench.core.finding import Fault, Finding, conclude


def gradient(setup: Setup) -> Finding:
    """Whether each head's loss has a finite gradient at the start that is not zero, and reaches the model."""
    output, model = setup.output, setup.model
    if output is None or model is None:
        return conclude("gradient", [], "no model to examine")
    faults, numbers = [], {}
    for head, what in output.prediction.heads():
        if _has_no_truth(setup, head):
            continue  # no score is made of it
        if head not in setup.heads:
            finding = f"the model's {head} head is not trained: its scores will be those of chance"
            faults.append(Fault("warn", finding, f"add {head!r} to the recipe, or take a model without it"))
            continue
        objective = setup.objective_for((head,))
        loss = objective(output.prediction, output.quartet).total
        if not (loss.requires_grad and what.logits.requires_grad):
            faults.append(Fault("broken", f"{head}: the loss does not depend on the model", "remove the detach()"))
            continue
        (slope,) = torch.autograd.grad(loss, what.logits, retain_graph=True, allow_unused=True)
        size = float("nan") if slope is None else float(slope.norm())
        numbers[f"{head}_gradient"] = 0.0 if slope is None else size
        if slope is None or size == 0:
            faults.append(Fault("broken", f"{head} gets no gradient at the start", "choose another term for it"))
        elif not torch.isfinite(slope).all():
            faults.append(Fault("broken", f"{head}: its gradient is not finite at the start", "choose another term"))
    still = _without_gradient(setup, model) if not faults else []
    if still:
        names = ", ".join(still[:3]) + (f" and {len(still) - 3} more" if len(still) > 3 else "")
        faults.append(Fault("warn", f"no gradient at the start in {names}", "search for layers that are not used"))
    shown = ", ".join(f"{name.removesuffix('_gradient')} {value:.2g}" for name, value in numbers.items())
    return conclude("gradient", faults, f"every parameter gets a gradient; at the logits: {shown}", numbers)


def _has_no_truth(setup: Setup, head: str) -> bool:
    return getattr(setup.quartet, head) is None


def _without_gradient(setup: Setup, model: nn.Module) -> list[str]:
    """The trainable parameters that the whole loss leaves where they are, but for heads without any truth."""
    assert setup.output is not None
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    loss = setup.objective_for(setup.heads)(setup.output.prediction, setup.output.quartet).total
    loss = loss + sum(what.logits.sum() for head, what in setup.output.prediction.heads() if _has_no_truth(setup, head))
    slopes = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True)
    return [name for (name, _), slope in zip(named, slopes, strict=True) if slope is None or not slope.any()]
