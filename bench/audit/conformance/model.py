"""What every model must do, whatever it computes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.audit.conformance.check import NotApplicable, Violation, check, require
from bench.audit.conformance.model_plugin import SEED, ModelPlugin, images, logits, training_pair
from registry.contract import Model


@check("the loop, the terms and the metrics read the model's answer through this class; broadcasting hides mistakes")
def predicts(plugin: ModelPlugin) -> None:
    """Images (B, 3, H, W) give a Prediction of logits (B, 1, H, W), finite, in training mode."""
    values = logits(plugin.model.train(), training_pair(plugin))
    require(values.isfinite().all(), "logits hold NaN or infinity for images of uniform noise")


@check("a parameter without a finite gradient is not trained, or destroys all others in one step")
def gradients(plugin: ModelPlugin) -> None:
    """Every parameter gets a finite gradient."""
    model = plugin.model.train()
    parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if not parameters:
        raise NotApplicable("it has no parameters to train")
    values = logits(model, training_pair(plugin))
    require(values.requires_grad, "the logits do not depend on the parameters: does it call detach()?")
    found = torch.autograd.grad(
        (values * torch.randn_like(values)).sum(), [p for _, p in parameters], allow_unused=True
    )
    missing = [name for (name, _), slope in zip(parameters, found, strict=True) if slope is None]
    require(not missing, f"no gradient in {_some(missing)}: these layers are not used, or their output is detached")
    wrong = [n for (n, _), s in zip(parameters, found, strict=True) if s is not None and not s.isfinite().all()]
    require(not wrong, f"the gradient of {_some(wrong)} is not finite")
    require(any(s is not None and s.any() for s in found), "the gradient of every parameter is 0")


@check("protocols train at several sizes, and a test image need not be square")
def sizes(plugin: ModelPlugin) -> None:
    """Any multiple of the stride is taken, odd ones and rectangles too, one image at a time."""
    model, stride = plugin.model.eval(), plugin.stride
    for rows, columns in ((1, 1), (1, 5), (7, 1)):
        size = rows * stride, columns * stride
        try:
            with torch.no_grad():
                logits(model, images(1, *size))
        except (RuntimeError, ValueError, Violation) as error:
            declared = f"its stride is {stride}" if hasattr(model, "stride") else "it declares no stride"
            raise Violation(f"fails at {size[0]}x{size[1]} px ({declared}): {error}") from error


@check("an output of another size belongs to no target: raise ValueError and name the multiple", "warn")
def other_sizes(plugin: ModelPlugin) -> None:
    """A size that is no multiple of the stride is refused, or answered at that very size."""
    if plugin.stride == 1 or not hasattr(plugin.model, "stride"):
        raise NotApplicable("it declares no stride above 1")
    try:
        with torch.no_grad():
            logits(plugin.model.eval(), images(1, plugin.stride, plugin.stride + 1))
    except (ValueError, RuntimeError):
        return


@check("a batch of a single image is all that some budgets leave; batch norm fails where a map is one pixel", "warn")
def one_image(plugin: ModelPlugin) -> None:
    """One image is enough for a step in training mode."""
    logits(plugin.model.train(), images(1, 2 * plugin.stride, 2 * plugin.stride))


@check("scores would depend on the test batch, and on chance")
def evaluation(plugin: ModelPlugin) -> None:
    """In evaluation mode an image's prediction is the same each time, alone or in a batch."""
    model, pair = plugin.model.eval(), images(3, 2 * plugin.stride, 2 * plugin.stride)
    with torch.no_grad():
        together, again = logits(model, pair), logits(model, pair)
        alone = logits(model, (pair[0][1:2], pair[1][1:2]))
    require(torch.equal(together, again), "two evaluations of the same batch differ: something random runs in eval()")
    gap = float((together[1:2] - alone).abs().max())
    require(gap <= _rounding(alone), f"an image alone differs by {gap:.3g} from it in a batch")


@check("runs of the same seed must be repeatable, and seeds comparable: draw all weights from torch's generator")
def seed(plugin: ModelPlugin) -> None:
    """The same seed gives the same weights."""
    first, second = plugin.seeded(SEED), plugin.seeded(SEED)
    for (name, ours), theirs in zip(first.named_parameters(), second.parameters(), strict=True):
        require(torch.equal(ours, theirs), f"{name} differs between two models built under the same seed")


@check("checkpoints, the best weights and resumed runs hold the state dict alone")
def state(plugin: ModelPlugin) -> None:
    """A fresh model with the state dict loaded predicts the same."""
    model, other = plugin.model.eval(), plugin.seeded(SEED + 1).eval()
    pair = images(2, plugin.stride, 2 * plugin.stride)
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        gap = float((logits(model, pair) - logits(other, pair)).abs().max())
    require(gap == 0, f"predictions differ by {gap:.3g} after loading: something it needs is no parameter or buffer")


@check("training runs in bfloat16 where the machine computes it natively")
@torch.no_grad()
def bfloat16(plugin: ModelPlugin) -> None:
    """Under bfloat16 autocast predictions are finite and close to those in float32."""
    model, pair = plugin.model.eval(), images(2, 2 * plugin.stride, 2 * plugin.stride)
    plain = logits(model, pair)
    with torch.autocast("cpu", torch.bfloat16):
        half = logits(model, pair)
    require(half.isfinite().all(), "logits in bfloat16 are not finite")
    gap, scale = float((half - plain).abs().max()), float(plain.abs().max())
    require(
        gap <= 0.1 * scale + 0.05, f"logits in bfloat16 differ by {gap:.3g} from those in float32 (up to {scale:.3g})"
    )


@check("training runs in the channels_last memory format")
@torch.no_grad()
def channels_last(plugin: ModelPlugin) -> None:
    """The channels_last memory format changes no prediction."""
    model, pair = plugin.model.eval(), images(2, 2 * plugin.stride, 2 * plugin.stride)
    plain = logits(model, pair)
    model.to(memory_format=torch.channels_last)
    try:
        last = logits(model, (_last(pair[0]), _last(pair[1])))
    finally:
        model.to(memory_format=torch.contiguous_format)
    gap = float((last - plain).abs().max())
    require(gap <= _rounding(plain), f"logits in channels_last differ by {gap:.3g}")


@check("what is measured beside training, and the picture of predictions, reads the same images", "warn")
@torch.no_grad()
def inputs(plugin: ModelPlugin) -> None:
    """The images that it is given are not altered."""
    pair = training_pair(plugin)
    before = [image.clone() for image in pair]
    logits(plugin.model.eval(), pair)
    for name, image, kept in zip(("bg", "bg_fg"), pair, before, strict=True):
        require(torch.equal(image, kept), f"it alters {name} in place")


@check("bench profile books time by block: what is missing counts as unattributed, what stands twice counts twice")
@torch.no_grad()
def blocks(plugin: ModelPlugin) -> None:
    """`blocks` names 4 to 12 stages that hold every parameter once and run in that order."""
    model = plugin.model.eval()
    if not isinstance(model, Model) or not list(model.parameters()):
        raise NotApplicable("it names no blocks, or has no parameters")
    named = model.blocks()
    held = [id(p) for group in named.values() for module in group for p in module.parameters()]
    require(len(held) == len(set(held)), "a parameter stands in two blocks")
    outside = [name for name, p in model.named_parameters() if id(p) not in set(held)]
    require(not outside, f"{_some(outside)} stand in no block")
    require(4 <= len(named) <= 12, f"it names {len(named)} blocks, not 4 to 12")
    order: dict[nn.Module, int] = {}
    modules = [module for group in named.values() for module in group]

    def note(module: nn.Module, _inputs: object) -> None:
        """Keep the place of a module among those that were called."""
        order.setdefault(module, len(order))

    hooks = [module.register_forward_pre_hook(note) for module in modules]
    try:
        logits(model, images(2, plugin.stride, plugin.stride))
    finally:
        for hook in hooks:
            hook.remove()
    idle = [name for name, group in named.items() if not all(module in order for module in group)]
    require(not idle, f"block {_some(idle)} holds a module that is never called")
    firsts = [min(order[module] for module in group) for group in named.values()]
    require(firsts == sorted(firsts), "blocks do not run in the order in which they are named")


CHECKS = (
    predicts,
    gradients,
    sizes,
    other_sizes,
    one_image,
    evaluation,
    seed,
    state,
    bfloat16,
    channels_last,
    inputs,
    blocks,
)
"""In the order in which they are made."""


def _rounding(values: Tensor) -> float:
    """How far two ways to compute logits may be apart: next to nothing beside what differs between pixels."""
    return 2e-5 * float(values.abs().max()) + 0.02 * float(values.std())


def _last(image: Tensor) -> Tensor:
    return image.contiguous(memory_format=torch.channels_last)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
