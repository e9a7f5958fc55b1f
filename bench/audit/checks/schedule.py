"""Whether what changes over the epochs does: the learning rate, and the weighting of the heads."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from bench.audit.setup import Setup
from bench.core.finding import Fault, Finding, conclude
from registry.losses.objective import Objective
from registry.optimizers import optimizers
from registry.schedules import schedules

_LONGEST = 300
"""Steps that are simulated at most; longer budgets are scaled down in proportion."""
_SMALL, _TOO_LONG = 0.02, 0.4
_EPOCHS_TO_ACT = 8
"""Epochs after which a weighting that has done nothing yet is left alone."""


def schedule(setup: Setup) -> Finding:
    """The learning rate over the protocol, simulated: where it ends, and for how long it is next to nothing."""
    protocol = setup.protocol
    steps = protocol.epoch_steps
    if not all(steps):
        finding = f"{protocol.train_samples} samples make no full batch of {max(s.batch for s in protocol.stages)}"
        return conclude("schedule", [Fault("broken", finding, "take a smaller --batch")], "")
    if not steps:
        return conclude("schedule", [Fault("broken", "no epoch at all", "take --epochs 1 or more")], "")
    share = min(1.0, _LONGEST / protocol.steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch guesses at what is examined here
        rates, bound = _simulate(protocol.optimizer, protocol.schedule, [max(1, round(n * share)) for n in steps])
    peak, end = max(rates), rates[-1]
    small = sum(rate < _SMALL * peak for rate in rates) / len(rates)
    faults = []
    if not bound:
        finding = f"{protocol.schedule} does not move the rate of the optimizer in use, which stays at {end:.3g}"
        faults.append(Fault("broken", finding, "give the scheduler the optimizer it is called with"))
    if peak <= 0:
        faults.append(Fault("broken", "the learning rate is 0 throughout", "take a positive lr"))
    elif small >= _TOO_LONG:
        finding = f"{protocol.schedule} leaves {small:.0%} of the steps under {_SMALL:.0%} of the peak rate"
        advice = "a gentler schedule, such as cosine, or step[gamma=0.1] with fewer steps down"
        faults.append(Fault("warn", f"{finding}: from {peak:.3g} to {end:.3g}", advice))
    fine = f"{protocol.optimizer} under {protocol.schedule}: at most {peak:.3g}, {end:.3g} at the end"
    return conclude("schedule", faults, fine, {"peak": peak, "end": end, "small": small})


def weighting(setup: Setup) -> Finding:
    """Whether a weighting of the heads that changes from epoch to epoch gets to change anything."""
    objective = Objective(setup.recipe, heads=setup.heads)
    name, epochs = setup.recipe.weighting, len(setup.protocol.epoch_steps)
    if len(setup.heads) < 2:
        return conclude("weighting", [], "a single head: nothing to weigh")
    if list(objective.weighting.parameters()) or not list(objective.weighting.buffers()):
        return conclude("weighting", [], f"heads are weighted as {name}, from the first step on")
    losses = torch.arange(1.0, 1 + len(setup.heads))
    weighted = []
    for epoch in range(max(epochs, _EPOCHS_TO_ACT)):
        weighted.append(float(objective.weighting(losses)))
        # Heads that learn at different rates, which is what such a weighting looks at.
        objective.epoch_end({head: 0.9 ** (epoch * (1 + at)) for at, head in enumerate(setup.heads)})
    acts = next((epoch for epoch, value in enumerate(weighted) if abs(value - weighted[0]) > 1e-6), None)
    faults = []
    if acts is not None and acts >= epochs:
        finding = f"{name} changes its weights from epoch {acts + 1} on, but the run has {epochs}: it has no effect"
        faults.append(Fault("warn", finding, f"take {acts + 1} epochs or more, or leave the weighting out"))
    fine = f"{name} changes its weights" + ("" if acts is None else f" from epoch {acts + 1} of {epochs} on")
    return conclude("weighting", faults, fine)


def _simulate(optimizer_key: str, schedule_key: str, batches: list[int]) -> tuple[list[float], bool]:
    """Every step's rate of the optimizer, validation improving all along; and whether the scheduler holds it."""
    optimizer = optimizers.build(optimizer_key)([nn.Parameter(torch.zeros(1))])
    driver = schedules.build(schedule_key)(optimizer, sum(batches))
    rates = []
    for epoch, count in enumerate(batches):
        for _ in range(count):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            driver.step()
        driver.epoch(1.0 / (1 + epoch))
    return rates, driver.scheduler.optimizer is optimizer
