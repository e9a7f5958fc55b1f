"""Whether targets lie in [0, 1] once: as the data has them, and as the recipe's terms see them."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.audit.setup import Setup
from bench.core.finding import Fault, Finding, conclude
from registry.contract import Target

_DIVIDED_TWICE = 2 / 255
"""No target of a scene stays below this unless it was divided by 255 once too often."""
_SLACK = 1e-4


def targets(setup: Setup) -> Finding:
    """Whether images and targets are in [0, 1] as the source renders them, and some mask is not empty."""
    faults: list[Fault] = []
    shown: list[str] = []
    numbers: dict[str, float] = {}
    cure = "divide by 255 once, and standardise nothing, in the source"
    for name, image in setup.rendered.tensors():
        low, high = float(image.min()), float(image.max())
        shown.append(f"{name} in [{low:.3g}, {high:.3g}]")
        if name in ("mask", "depth"):
            target = Target(image, setup.rendered.valid if name == "depth" else None)
            faults += _scaling(name, "as the data has it", target, cure, numbers)
        elif not (-_SLACK <= low and high <= 1 + _SLACK):
            faults.append(Fault("broken", shown[-1], cure))
    mask, valid = setup.rendered.mask, setup.rendered.valid
    if mask is not None and not faults:
        empty = int((mask.flatten(1).amax(1) <= 0.5).sum())
        shown.append(f"{empty} of {len(mask)} masks empty")
        if empty == len(mask):
            faults.append(Fault("broken", "every mask is empty", "examine the masks: nothing in them exceeds 0.5"))
    if valid is not None:
        shown.append(f"depth known in {float(valid.mean()):.0%}")
        if not valid.any():
            faults.append(Fault("warn", "depth is known nowhere in the samples", "examine the depth maps"))
    return conclude("targets", faults, ", ".join(shown), numbers)


def term_targets(setup: Setup) -> Finding:
    """Whether what a recipe does to the targets leaves them in [0, 1], and what that costs."""
    faults: list[Fault] = []
    numbers: dict[str, float] = {}
    for part in setup.parts:
        if (part.mean, part.std) != (0.0, 1.0):
            cure = f"take ~standardised off {part.head!r} in the recipe"
            faults += _scaling(part.head, "as the terms see it", setup.term_target(part), cure, numbers)
    return conclude("term_targets", faults, "terms see targets as the data has them", numbers)


def _scaling(head: str, how: str, target: Target, cure: str, numbers: dict[str, float]) -> list[Fault]:
    """What is wrong with the range of a head's target; figures that show it are added to ``numbers``."""
    known = target.value.flatten() if target.valid is None else target.value[target.valid > 0.5]
    if not len(known):
        return []
    low, high, mean, std = (float(value) for value in (known.min(), known.max(), known.mean(), known.std()))
    shown = f"{head} {how} lies in [{low:.3g}, {high:.3g}]"
    if not torch.isfinite(known).all():
        return [Fault("broken", f"{head} {how} holds values that are not finite", "mark them as not valid")]
    if low < -_SLACK:
        kind = "standardised" if abs(mean) < 0.3 * std else "shifted"
        why = f"mean {mean:.2g}: {kind}; cross entropy and overlaps need [0, 1]"
        return [Fault("broken", f"{shown}, {why}", cure)]
    if high > 1 + _SLACK:
        return [Fault("broken", f"{shown}: not divided by 255", cure)]
    if 0 < high <= _DIVIDED_TWICE:
        limits = _limits(head, known)
        figures = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in limits.items())
        numbers.update({f"{head}_{name}": value for name, value in limits.items()})
        return [Fault("broken", f"{shown}: divided by 255 twice ({figures})", cure)]
    return []


def _limits(head: str, small: Tensor) -> dict[str, float]:
    """What a perfect prediction gets where targets were made too small: the ceiling of Dice, the floor of BCE."""
    floor = {"bce_floor": float((torch.special.entr(small) + torch.special.entr(1 - small)).mean())}
    if head != "mask":
        return floor
    perfect = small / small.max()
    return {"dice_ceiling": float(2 * (perfect * small).sum() / (perfect.sum() + small.sum())), **floor}
