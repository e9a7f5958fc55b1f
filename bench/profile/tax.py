"""Loss tax: what a recipe costs a step over plain cross entropy, in time and in memory held for the backward pass."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from bench.core.progress import Progress, no_progress
from bench.train.isolation.process_state import settings_kept
from registry.contract import Prediction, Quartet
from registry.losses import parse
from registry.losses.objective import Objective

REFERENCE = "bce"
ROUNDS = 20
"""Times each recipe is measured, in turn with the reference."""

WARM_UP = 3
"""Rounds before those that count."""


@dataclass(frozen=True)
class Tax:
    """What a recipe costs over the reference, for a batch of predictions of both heads.

    Attributes:
        milliseconds: of forward and backward through the objective alone, median.
        extra_ms: median of the differences to the reference, each measured right before or after it.
        ratio: median of the ratios to the reference.
        extra_mib: more held between forward and backward than the reference holds; a count, not a measurement.
    """

    milliseconds: float
    extra_ms: float
    ratio: float
    extra_mib: float


@settings_kept("a term of these recipes")
def measure(
    recipes: Mapping[str, str],
    size: int,
    batch: int,
    device: torch.device,
    rounds: int = ROUNDS,
    progress: Progress = no_progress,
) -> dict[str, Tax]:
    """The tax of each recipe.

    Args:
        recipes: names to recipes (their names or texts).
        size, batch: of the predictions, (batch, 1, size, size) a head.
        device: where to compute.
        rounds: how often each is measured.
        progress: called for every round.

    Raises:
        RegistryError: a recipe that does not parse.
        ValueError: predictions too small for a term's window.
    """
    quartet, logits = _batch(size, batch, device)
    reference = Objective(parse(REFERENCE)).to(device)
    objectives = {name: Objective(parse(text)).to(device) for name, text in recipes.items()}
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in recipes}
    for turn in range(-WARM_UP, rounds):
        progress(f"{len(recipes)} recipes, in turn with {REFERENCE}", turn + WARM_UP, rounds + WARM_UP)
        for name, objective in objectives.items():
            # A B, B A, A B, and all recipes in every round: what slows the machine down for a while slows all.
            order = (reference, objective) if turn % 2 else (objective, reference)
            seconds = {id(timed): _seconds(timed, logits, quartet) for timed in order}
            if turn >= 0:
                pairs[name].append((seconds[id(reference)], seconds[id(objective)]))
    return {
        name: Tax(
            milliseconds=statistics.median(own for _, own in pairs[name]) * 1e3,
            extra_ms=statistics.median(own - base for base, own in pairs[name]) * 1e3,
            ratio=statistics.median(own / base for base, own in pairs[name]),
            extra_mib=_held_mib(objective, logits, quartet) - _held_mib(reference, logits, quartet),
        )
        for name, objective in objectives.items()
    }


def _batch(size: int, batch: int, device: torch.device) -> tuple[Quartet, tuple[Tensor, Tensor]]:
    """Squares before a sloping wall with a tenth of the depth unknown, and logits that know nothing of them."""
    random = torch.Generator().manual_seed(0)
    shape = (batch, 1, size, size)
    mask = torch.zeros(shape)
    mask[..., size // 4 : size // 2, size // 4 : size // 2] = 1
    depth = torch.linspace(0.2, 0.9, size).expand(shape) * (1 - 0.5 * mask)
    valid = (torch.rand(shape, generator=random) > 0.1).float()
    image = torch.zeros(batch, 3, 1, 1, device=device).expand(-1, -1, size, size)
    logits = (torch.randn(shape, generator=random).to(device).requires_grad_() for _ in range(2))
    quartet = Quartet(image, image, *(target.contiguous().to(device) for target in (mask, depth, valid)))
    return quartet, (next(logits), next(logits))


def _seconds(objective: Objective, logits: tuple[Tensor, Tensor], quartet: Quartet) -> float:
    """One forward and backward pass through an objective."""
    _wait(quartet.bg_fg.device)
    began = time.perf_counter()
    objective(Prediction(*logits), quartet).total.backward()
    _wait(quartet.bg_fg.device)
    seconds = time.perf_counter() - began
    for tensor in (*logits, *objective.parameters()):
        tensor.grad = None
    return seconds


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _held_mib(objective: Objective, logits: tuple[Tensor, Tensor], quartet: Quartet) -> float:
    """Memory that autograd keeps for the backward pass, each storage once, without what was held before."""
    given = {tensor.untyped_storage().data_ptr() for tensor in (*logits, *(t for _, t in quartet.tensors()))}
    held: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        total = objective(Prediction(*logits), quartet).total
    storages = [tensor.untyped_storage().nbytes() for place, tensor in held.items() if place not in given]
    del total
    return sum(storages) / 2**20
