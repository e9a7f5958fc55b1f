"""`TermPlugin`: a loss term under check, with the predictions and targets that the checks try it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.audit.conformance.check import Violation, require
from registry.contract import Head, Target

IMAGES = 3
"""In the batches that a term is tried on."""
_HEIGHT, _WIDTH = 40, 32


@dataclass
class TermPlugin:
    """A loss term under check.

    Attributes:
        name: what messages call it.
        run: the term with its parameters bound, (prediction, target) to a scalar.
        heads: those whose perfect prediction is its optimum; empty if that is not known.
    """

    name: str
    run: Callable[[Head, Target], Tensor]
    heads: tuple[str, ...] = ()

    @property
    def tried(self) -> tuple[str, ...]:
        """The heads on which it is tried."""
        return self.heads or ("mask", "depth")

    @property
    def depth(self) -> bool:
        """Whether it may be used on depth, parts of which are unknown."""
        return "depth" in self.tried

    def value(self, logits: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        """Its value, a scalar.

        Raises:
            Violation: it returns something else.
        """
        found = self.run(Head(logits), Target(target, valid))
        if not isinstance(found, Tensor):
            raise Violation(f"returns a {type(found).__name__}, not a scalar tensor")
        require(found.shape == (), f"returns a tensor of shape {tuple(found.shape)}: take the mean over images")
        return found


def noise(stream: int) -> Tensor:
    """Standard normal numbers, (B, 1, H, W), the same for the same stream."""
    generator = torch.Generator().manual_seed(stream)
    return torch.randn(IMAGES, 1, _HEIGHT, _WIDTH, generator=generator)


def example_target(head: str) -> Tensor:
    """A binary mask with a rectangle, or a smooth depth in [.05, .95]."""
    if head == "depth":
        rows, columns = (torch.linspace(0, 1, n) for n in (_HEIGHT, _WIDTH))
        wave = (3 * rows[:, None] + 5 * columns).sin().expand(IMAGES, 1, -1, -1)
        return 0.5 + 0.4 * wave + 0.05 * torch.tanh(noise(0))
    mask = torch.zeros(IMAGES, 1, _HEIGHT, _WIDTH)
    mask[..., 8:22, 6:20] = 1
    return mask


def hole_in_every_image() -> Tensor:
    """Known nearly everywhere, but for a hole near the top of every image."""
    valid = torch.ones(IMAGES, 1, _HEIGHT, _WIDTH)
    valid[..., 1:6, 9:15] = 0
    return valid


def slope_of(value: Tensor, logits: Tensor) -> Tensor:
    """The gradient of a value in the logits, of their shape; zeros where it does not depend on them.

    Raises:
        Violation: it depends on nothing.
    """
    if not value.requires_grad:
        raise Violation("the value does not depend on the prediction: does it call detach() or argmax?")
    (slope,) = torch.autograd.grad(value, logits, allow_unused=True)
    return torch.zeros_like(logits) if slope is None else slope


def finite_slope(plugin: TermPlugin, logits: Tensor, target: Tensor, valid: Tensor | None, where: str) -> Tensor:
    """The gradient in the logits; it and the value must be finite."""
    leaf = logits.clone().requires_grad_()
    value = plugin.value(leaf, target, valid)
    slope = slope_of(value, leaf)
    require(value.isfinite(), f"its value is {float(value.detach()):g} {where}")
    require(slope.isfinite().all(), f"its gradient is not finite {where}")
    return slope
