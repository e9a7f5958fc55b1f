"""Whether targets lie in [0, 1] once: as the data has them, and as the recipe's terms see them."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.audit.subject import Subject
from bench.audit.verdict import Fault, Verdict, conclude
from registry.contract import Target
from registry.losses.recipe import HeadPart

_DIVIDED_TWICE = 2 / 255
"""No target of a scene stays below this unless it was divided by 255 once too often."""
_SLACK = 1e-4


def targets(subject: Subject) -> Verdict:
    """Whether images and targets are in [0, 1] as the source renders them, and some mask is not empty."""
    faults, shown = [], []
    for name, image in subject.rendered.tensors():
        low, high = float(image.min()), float(image.max())
        shown.append(f"{name} in [{low:.3g}, {high:.3g}]")
        if name in ("mask", "depth"):
            target = Target(image, subject.rendered.valid if name == "depth" else None)
            faults += _scaling(f"{name} as the data has it", target, "in the source")
        elif not (-_SLACK <= low and high <= 1 + _SLACK):
            faults.append(Fault("broken", shown[-1], f"divide {name} by 255 once, and nothing more, in the source"))
    mask = subject.rendered.mask
    if mask is not None and not faults:
        empty = int((mask.flatten(1).amax(1) <= 0.5).sum())
        shown.append(f"{empty} of {len(mask)} masks empty")
        if empty == len(mask):
            faults.append(Fault("broken", "every mask is empty", "look at the masks: nothing in them exceeds 0.5"))
    valid = subject.rendered.valid
    if valid is not None:
        shown.append(f"depth known in {float(valid.mean()):.0%}")
        if not valid.any():
            faults.append(Fault("warn", "depth is known nowhere in the samples", "look at the depth maps"))
    return conclude("targets", faults, ", ".join(shown))


def term_targets(subject: Subject) -> Verdict:
    """Whether what a recipe does to the targets leaves them in [0, 1], and what that costs."""
    faults, numbers = [], {}
    for part in subject.parts:
        seen = subject.seen(part)
        found = _scaling(
            f"{part.head} as the terms see it", seen, f"take ~standardised off {part.head!r} in the recipe"
        )
        if found:
            limits = _limits(part, subject.truth(part.head), seen)
            figures = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in limits.items())
            found = [fault._replace(finding=f"{fault.finding} ({figures})") for fault in found] if limits else found
            numbers.update({f"{part.head}_{name}": value for name, value in limits.items()})
        faults += found
    return conclude("term_targets", faults, "terms see targets as the data has them", numbers)


def _scaling(what: str, target: Target, where: str) -> list[Fault]:
    """What is wrong with the range of a target."""
    known = _known(target)
    if not len(known):
        return []
    low, high, mean, std = (float(value) for value in (known.min(), known.max(), known.mean(), known.std()))
    shown = f"{what} lies in [{low:.3g}, {high:.3g}]"
    if not torch.isfinite(known).all():
        return [Fault("broken", f"{what} holds values that are not finite", f"mark them as not valid {where}")]
    if low < -_SLACK:
        kind = "standardised" if abs(mean) < 0.3 * std else "shifted"
        return [Fault("broken", f"{shown}, mean {mean:.2g}: {kind}; cross entropy and overlaps need [0, 1]", where)]
    if high > 1 + _SLACK:
        return [Fault("broken", f"{shown}: not divided by 255", where)]
    if 0 < high <= _DIVIDED_TWICE:
        return [Fault("broken", f"{shown}: divided by 255 twice", where)]
    return []


def _limits(part: HeadPart, truth: Target, seen: Target) -> dict[str, float]:
    """What a perfect prediction gets where targets were made too small: the ceiling of Dice, the floor of BCE."""
    value, small = _known(truth), _known(seen)
    if not len(value) or small.min() < -_SLACK or small.max() > 1 + _SLACK:
        return {}
    entropy = float(torch.special.entr(small).mean() + torch.special.entr(1 - small).mean())
    ceiling = {"dice_ceiling": float(2 * (value * small).sum() / (value.sum() + small.sum()))}
    return {**(ceiling if part.head == "mask" else {}), "bce_floor": entropy}


def _known(target: Target) -> Tensor:
    """The values that count, as one row."""
    return target.value.flatten() if target.valid is None else target.value[target.valid > 0.5]
