"""Whether the parts of a request fit together: checked before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.protocol import Protocol
from bench.data.augment.pipeline import parse_augmentation
from bench.data.source import Source
from bench.data.split import FRACTIONS
from bench.metrics import metrics
from bench.metrics.scores import Scores
from bench.train.isolation.process_state import settings_kept
from registry.contract import Prediction, Quartet
from registry.errors import ContractError, RegistryError
from registry.lookup.imports import described
from registry.losses.recipe import Recipe
from registry.optimizers import optimizers
from registry.schedules import Schedule, schedules

T = TypeVar("T")


def within(protocol: Protocol, source: Source) -> Protocol:
    """The protocol with no more samples than the parts of the data have: none is counted twice in a score."""
    available = {part: source.count(part) for part in FRACTIONS}
    few = {
        f"{part}_samples": count
        for part, count in available.items()
        if count is not None and count < getattr(protocol, f"{part}_samples")
    }
    return protocol.override(**few) if few else protocol


def check_budget(protocol: Protocol) -> None:
    """Whether its parts can be made, and its samples fill a batch.

    Raises:
        BenchError, RegistryError: they cannot.
    """
    parse_augmentation(protocol.augmentation)
    largest = max(stage.batch for stage in protocol.stages)
    if protocol.train_samples < largest:
        raise BenchError(
            f"{protocol.train_samples} training samples make no batch of {largest}: "
            f"give more samples, or a smaller batch, such as --batch {protocol.train_samples}"
        )
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    make_optimizer, make_schedule = optimizers.build(protocol.optimizer), schedules.build(protocol.schedule)
    optimizer = _made(f"optimizer {protocol.optimizer}", lambda: make_optimizer(parameters), torch.optim.Optimizer)
    _made(f"schedule {protocol.schedule}", lambda: make_schedule(optimizer, 10), Schedule)


def _made(what: str, make: Callable[[], T], wanted: type[T]) -> T:
    """What a user's function makes.

    Raises:
        BenchError: it raises something, or makes something else than is wanted.
    """
    try:
        found = make()
    except RegistryError:
        raise
    except (Exception, SystemExit) as error:
        raise BenchError(f"{what} cannot be made: {described(error)}") from error
    if not isinstance(found, wanted):
        name = f"{wanted.__module__}.{wanted.__qualname__}"
        raise BenchError(f"{what} makes an object of type {type(found).__name__}, not a {name}")
    return found


_WAYS = {
    ("depth", "composed"): "give it with --bg-depth",
    ("depth", "stored"): "name its files in --files, let a model predict it with --depth-model",
    ("mask", "stored"): "name their files in --files",
}
"""Where a target comes from, by the kind of source."""


def check_heads(recipe: Recipe, source: Source) -> None:
    """Whether the data has what the recipe trains.

    Raises:
        BenchError: it has no depth, or no masks.
    """
    for head, has, what, other in (
        ("depth", source.has_depth, "no depth", "mask: bce"),
        ("mask", source.has_mask, "no masks", "depth: l1"),
    ):
        if head in recipe.heads and not has:
            how = _WAYS.get((head, source.kind), "let its source give it")
            raise BenchError(
                f"the recipe has {head} terms but the data has {what}: {how}, "
                f"or take a recipe without them, such as --loss '{other}'"
            )


def try_metrics(keys: Sequence[str], source: Source, protocol: Protocol) -> None:
    """Score two images by a user's metrics.

    Raises:
        BenchError: a metric raises something.
        ContractError: a metric alters what it is given, or what holds for the whole process.
    """
    if not keys:
        return
    quartet = source.render("val", torch.arange(min(2, protocol.val_samples)), protocol.size)
    ordinary = _others_see((), quartet)
    for key in keys:
        try:
            with settings_kept(f"metric {key}"):
                others = _others_see((key,), quartet)
        except ContractError:
            raise
        except (Exception, SystemExit) as error:  # whatever a user's metric raises
            raise BenchError(f"metric {key} cannot be computed: {type(error).__name__}: {error}") from error
        if not torch.equal(others.nan_to_num(-1), ordinary.nan_to_num(-1)):
            raise ContractError(f"metric {key} alters in place what other metrics see: work on a copy")


def _others_see(keys: Sequence[str], quartet: Quartet) -> Tensor:
    """The default metrics of a batch after other metrics were computed on it; and all tensors that they are given."""
    truth = quartet.map(torch.clone)
    logits = torch.linspace(-2, 2, truth.bg_fg[:, :1].numel(), device=truth.bg_fg.device).view_as(truth.bg_fg[:, :1])
    prediction = Prediction(logits.clone(), logits.flip(-1))
    scores = Scores([*keys, *metrics.default()])
    scores.update(prediction, truth)
    own = {metrics.bind(key).key for key in keys}
    columns = [torch.from_numpy(column) for name, column in scores.result().items() if name not in own]
    given = [tensor.flatten().float().cpu() for _, tensor in [*truth.tensors(), *_logits(prediction)]]
    return torch.cat([*columns, *given])


def _logits(prediction: Prediction) -> list[tuple[str, Tensor]]:
    return [(name, head.logits) for name, head in prediction.heads()]
