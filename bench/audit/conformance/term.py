"""What every loss term must do, whatever it computes."""

from __future__ import annotations

import math

import torch

from bench.audit.conformance.check import NotApplicable, check, require
from bench.audit.conformance.term_plugin import (
    IMAGES,
    TermPlugin,
    example_target,
    finite_slope,
    hole_in_every_image,
    noise,
    slope_of,
)
from registry.contract import Head, Target

_FAR = 1e4
"""Logits up to which gradients must be finite: a network that diverges reaches these before it overflows."""


@check("the weighted sum of terms is what training minimises: a number that depends on the prediction")
def scalar(plugin: TermPlugin) -> None:
    """It gives a finite scalar, float32 for float32, with a gradient in the prediction."""
    for head in plugin.tried:
        logits = noise(1).requires_grad_()
        value = plugin.value(logits, example_target(head), hole_in_every_image() if head == "depth" else None)
        require(value.isfinite(), f"its value is {float(value.detach()):g} for a random prediction of {head}")
        require(value.dtype == torch.float32, f"its value is of {value.dtype}, not float32")
        require(slope_of(value, logits).any(), f"its gradient for a random prediction of {head} is 0 everywhere")


@check("training would move a perfect prediction away from the truth")
def optimum(plugin: TermPlugin) -> None:
    """No prediction is better than the truth, on the heads that it is for."""
    wrong = {head: _better_than_truth(plugin, head) for head in plugin.tried}
    suited = [head for head, reason in wrong.items() if reason is None]
    failed = [reason for head, reason in wrong.items() if reason is not None]
    require(suited if not plugin.heads else not failed, "; ".join(filter(None, failed)))


def _better_than_truth(plugin: TermPlugin, head: str) -> str | None:
    """What is better than the truth to the term; None if nothing is."""
    target = example_target(head)
    # The mask's logits have to cross 0 to be wrong in the eyes of a hinge.
    truth = torch.logit(target) if head == "depth" else 40 * target - 20
    constant = torch.full_like(truth, float(torch.logit(target.mean())))
    others = {"its complement": -truth, "a constant": constant, "noise": 3 * noise(2)}
    if head == "depth":
        others["a small error"] = truth + 0.3 * noise(3)
    with torch.no_grad():
        best = float(plugin.value(truth, target))
        values = {name: float(plugin.value(logits, target)) for name, logits in others.items()}
    name = min(values, key=values.__getitem__)
    if values[name] >= best - 1e-6 * max(1.0, abs(best)):
        return None
    return f"on {head} it is {best:.4g} at the truth and {values[name]:.4g} for {name}"


@check("photographs without an object, and close-ups that are nothing else, are in every data set")
def uniform_targets(plugin: TermPlugin) -> None:
    """Empty and full targets give a finite value and gradient."""
    for fill, name in ((0.0, "an empty"), (1.0, "a full")):
        for logits, what in (
            (noise(4), "a random prediction"),
            (torch.full_like(noise(0), 20 * fill - 10), "truth"),
        ):
            target = torch.full_like(logits, fill)
            finite_slope(plugin, logits, target, None, f"on {name} target, for {what}")


@check("sensors leave whole images without depth: they must not train, nor spoil the batch")
def nothing_known(plugin: TermPlugin) -> None:
    """Where no depth is known its value and its gradient are 0."""
    _only_depth(plugin)
    logits = noise(5).requires_grad_()
    value = plugin.value(logits, example_target("depth"), torch.zeros_like(logits))
    require(value == 0, f"its value is {float(value.detach()):g} where no depth is known, not 0")
    if value.requires_grad:
        require(not slope_of(value, logits).any(), "its gradient is not 0 where no depth is known")


@check(
    "what a sensor did not see would be learnt: count pixels only where target.valid is 1, chosen by torch.where "
    "before any arithmetic, as 0 * NaN is NaN"
)
def unknown_pixels(plugin: TermPlugin) -> None:
    """Predictions and targets under valid = 0, NaN too, change neither value nor gradient."""
    _only_depth(plugin)
    target, valid = example_target("depth"), hole_in_every_image()
    hole, logits = valid == 0, noise(6)
    before = plugin.value(logits, target, valid)
    for fill, name in ((torch.rand_like(target), "other depth"), (torch.full_like(target, math.nan), "NaN")):
        changed = torch.where(hole, 8 * noise(7), logits).requires_grad_()
        value = plugin.value(changed, torch.where(hole, fill, target), valid)
        same = torch.isclose(value, before, rtol=1e-4, atol=1e-6)
        values = f"from {float(before):.4g} to {float(value.detach()):.4g}"
        require(same, f"its value changes {values} with {name} where depth is unknown")
        slope = slope_of(value, changed)
        require(slope.isfinite().all(), f"its gradient is not finite with {name} where depth is unknown")
        require(not slope[hole].any(), f"it has a gradient in pixels whose depth is unknown, with {name} in them")


@check("objects that were not labelled would be learnt as background: count pixels where target.valid is 1", "warn")
def unknown_mask(plugin: TermPlugin) -> None:
    """Pixels whose mask is unknown do not count."""
    if "mask" not in plugin.tried:
        raise NotApplicable("it is not for masks")
    target, valid, logits = example_target("mask"), hole_in_every_image(), noise(13)
    other = torch.where(valid > 0, target, 1 - target)
    first, second = (float(plugin.value(logits, values, valid)) for values in (target, other))
    require(math.isclose(first, second, rel_tol=1e-4), f"{first:.4g} becomes {second:.4g} where the mask is unknown")


@check("a network that starts badly, or learns fast, has such logits: a single NaN ends the run")
def far_logits(plugin: TermPlugin) -> None:
    """Value and gradient are finite for logits within +-10,000."""
    for head in plugin.tried:
        far_from(plugin, Target(example_target(head), hole_in_every_image() if head == "depth" else None), head)


def far_from(plugin: TermPlugin, target: Target, head: str) -> None:
    """Try logits of growing size, of either sign, on a target.

    Raises:
        Violation: value or gradient are not finite; says where.
    """
    sign = torch.randn(target.stored.shape, generator=torch.Generator().manual_seed(8)).sign()
    for size in (18.0, 90.0, 1000.0, _FAR):
        for direction, name in ((sign, "of either sign"), (sign.abs(), "above"), (-sign.abs(), "below")):
            finite_slope(
                plugin, size * direction, target.stored, target.valid, f"at logits of {size:g} {name} ({head})"
            )


@check("every other term, every metric and the picture of the run see the same tensors")
def inputs(plugin: TermPlugin) -> None:
    """It alters neither prediction nor target."""
    for head in plugin.tried:
        prediction, target = Head(noise(9)), Target(example_target(head), hole_in_every_image())
        given = {"prediction.logits": prediction.logits, "prediction.value": prediction.value}
        given |= {"target.stored": target.stored, "target.value": target.value, "target.valid": target.known}
        before = {name: tensor.clone() for name, tensor in given.items()}
        plugin.run(prediction, target)
        for name, tensor in given.items():
            require(torch.equal(tensor, before[name]), f"it alters {name} in place")


@check("runs of the same seed must be repeatable")
def repeatable(plugin: TermPlugin) -> None:
    """The same prediction and target give the same value."""
    head = plugin.tried[0]
    first, second = (plugin.value(noise(10), example_target(head)) for _ in range(2))
    require(torch.equal(first, second), f"two calls give {float(first):.6g} and {float(second):.6g}")


@check("the loss then depends on the batch size, and small objects count less in a batch with large ones", "warn")
def mean_over_images(plugin: TermPlugin) -> None:
    """A batch's value is the mean of its images' values."""
    head = plugin.tried[0]
    logits, target = noise(11), example_target(head)
    target = target * torch.linspace(0.3, 1, IMAGES).view(-1, 1, 1, 1)
    together = float(plugin.value(logits, target))
    alone = [float(plugin.value(logits[i : i + 1], target[i : i + 1])) for i in range(IMAGES)]
    mean = sum(alone) / IMAGES
    require(
        abs(together - mean) <= 1e-3 * max(abs(mean), 1e-3),
        f"it is {together:.4g} over a batch, {mean:.4g} image by image",
    )


@check("training in bfloat16 rounds logits before the term sees them")
def rounded_logits(plugin: TermPlugin) -> None:
    """Logits rounded to bfloat16 give a finite float32 value near that of the exact logits."""
    head = plugin.tried[0]
    logits = noise(12)
    exact, rounded = (plugin.value(values, example_target(head)) for values in (logits, logits.bfloat16()))
    require(rounded.dtype == torch.float32, f"its value for bfloat16 logits is of {rounded.dtype}")
    gap = abs(float(exact) - float(rounded))
    require(gap <= 0.02 * max(1.0, abs(float(exact))), f"its value changes by {gap:.3g} with bfloat16 logits")


CHECKS = (
    scalar,
    optimum,
    uniform_targets,
    nothing_known,
    unknown_pixels,
    unknown_mask,
    far_logits,
    inputs,
    repeatable,
    mean_over_images,
    rounded_logits,
)
"""In the order in which they are made."""


def _only_depth(plugin: TermPlugin) -> None:
    if not plugin.depth:
        raise NotApplicable("it is not for depth")
