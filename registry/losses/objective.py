"""What training minimises: a recipe, run on a prediction and its quartet, term by term."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from registry.contract import Head, Prediction, Quartet, Target, check_loss
from registry.errors import RegistryError
from registry.losses.recipe import HeadPart, Recipe
from registry.losses.terms import terms
from registry.losses.weighting import SCHEMES

if TYPE_CHECKING:
    from registry.losses.terms import Term

Span = Callable[[str], AbstractContextManager[object]]
"""From the name of what is about to run to the context it runs in, such as a block of a ledger."""


def nullspan(name: str) -> AbstractContextManager[object]:
    """The span of someone who does not time anything."""
    return nullcontext()


@dataclass(frozen=True)
class Losses:
    """The losses of a batch; all scalars stay on the device.

    Attributes:
        total: what is minimised, with its graph.
        terms: every term's own value, before its weight, detached; by ``head.key``, such as ``depth.ssim[window=7]``.
        heads: every head's weighted sum of terms, before the weighting of heads; detached.
    """

    total: Tensor
    terms: Mapping[str, Tensor]
    heads: Mapping[str, Tensor]


class AppliedTerm(NamedTuple):
    """A term in its place in a recipe: of which head and weight, and what it compares in a batch."""

    head: str
    key: str
    weight: float
    function: Term
    prediction: Head
    target: Target

    @property
    def name(self) -> str:
        """As losses are logged, ``depth.ssim[window=7]``."""
        return f"{self.head}.{self.key}"


class Objective(nn.Module):
    """A recipe made callable.

    Learned or remembered weights of heads are its parameters and buffers: give ``parameters()`` to the optimizer
    and keep ``state_dict()`` with the model's.

    Args:
        recipe: what `registry.losses.parse` makes of a text or a name, once a run.
        heads: the heads to train, if not all that the recipe names: a single-task model takes its own part this way.

    Raises:
        RegistryError: the recipe trains none of ``heads``.
    """

    def __init__(self, recipe: Recipe, heads: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self.recipe = recipe
        self._parts = (recipe if heads is None else recipe.for_heads(heads)).parts
        if not self._parts:
            raise RegistryError(f"the recipe {self.recipe.text!r} trains none of {heads}; it has {self.recipe.heads}")
        self._bound = {term.key: terms.bind(term.key) for part in self._parts for term in part.terms}
        self.weighting = SCHEMES[self.recipe.weighting](len(self._parts))

    def forward(self, prediction: Prediction, quartet: Quartet, span: Span = nullspan) -> Losses:
        """Every term on its head, in the recipe's order.

        Nothing here waits for the device. Terms run in float32 (float64 logits in float64), autocast or not.

        Args:
            prediction: the model's answer, heads of (B, 1, H, W).
            quartet: the batch it answers.
            span: entered around each term as ``loss/head.key``.

        Raises:
            RegistryError: the recipe trains a head that the model or the data does not have.
            ContractError: a term did not return a scalar.
        """
        values: dict[str, Tensor] = {}
        sums: dict[str, Tensor] = {}
        with torch.autocast(quartet.bg_fg.device.type, enabled=False):
            for term in self.applied(prediction, quartet):
                with span(f"loss/{term.name}"):
                    value = check_loss(term.function(term.prediction, term.target), term.key)
                    so_far = sums[term.head] if term.head in sums else value.new_zeros(())
                    sums[term.head] = so_far + term.weight * value
                values[term.name] = value.detach()
            total = self.weighting(torch.stack(list(sums.values())))
        return Losses(total, values, {head: loss.detach() for head, loss in sums.items()})

    def applied(self, prediction: Prediction, quartet: Quartet) -> Iterator[AppliedTerm]:
        """Every term with the prediction and the target that it compares, in the recipe's order; nothing is run.

        Raises:
            RegistryError: the recipe trains a head that the model or the data does not have.
        """
        for part in self._parts:
            head, target = getattr(prediction, part.head), self._target(part, quartet)
            if head is None:
                raise RegistryError(self._without("model", part.head))
            for term in part.terms:
                yield AppliedTerm(part.head, term.key, term.weight, self._bound[term.key], head, target)

    @torch.no_grad()
    def combine(self, terms: Mapping[str, Tensor]) -> Losses:
        """What follows for heads and total from values of the terms, by ``head.key``; without a graph."""
        sums = {
            part.head: torch.stack([term.weight * terms[f"{part.head}.{term.key}"] for term in part.terms]).sum()
            for part in self._parts
        }
        return Losses(self.weighting(torch.stack(list(sums.values()))), terms, sums)

    def epoch_end(self, means: Mapping[str, Tensor | float]) -> None:
        """Let the weighting take note of an epoch.

        Args:
            means: the epoch's mean of `Losses.heads`, by head.
        """
        self.weighting.epoch_end(torch.stack([torch.as_tensor(means[part.head]) for part in self._parts]))

    def _target(self, part: HeadPart, quartet: Quartet) -> Target:
        target = quartet.target(part.head)
        if target is None:
            raise RegistryError(self._without("data", part.head))
        if (part.mean, part.std) == (0.0, 1.0):
            return target
        return Target((target.stored - part.mean) / part.std, target.valid)

    def _without(self, who: str, head: str) -> str:
        others = [part for part in self.recipe.parts if part.head != head]
        kept = f"--loss {str(others[0])!r}" if others else f"a recipe for the head that the {who} has"
        return f"the recipe {self.recipe.text!r} trains {head}, which the {who} does not have: use {kept}" + (
            f", or Objective(recipe, heads=({others[0].head!r},))" if others else ""
        )
