"""`LossMeans`: an objective over a whole set of images, the same however these fall into batches.

A term's value for a batch is a mean over those of its images that have something to say, so that a mean of batch
values would weigh an image by its company. Here every image counts once: by its own value where a term is a mean over
images (all registered terms are), by a call of its own where that cannot be known (a user's function). Terms that pool
over the batch have no value for an image; they see batches of a fixed size, and these count by their images.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from registry.contract import Head, Prediction, Quartet, Target
from registry.losses.objective import AppliedTerm, Losses, Objective, Span, nullspan
from registry.losses.terms.reduction import observed

POOLED_BATCH = 16
"""Images in the batches for terms that pool over the batch; the last batch may be smaller."""


@dataclass(frozen=True)
class MeanLosses:
    """An objective over a set of images.

    Attributes:
        losses: by ``total``, head, and term (``head.key``).
        broken: places of the images, in the order of the updates, whose loss is NaN or infinite.
        pooled: terms that pool over the batch, with the size of the batches on which they were computed.
    """

    losses: dict[str, float]
    broken: list[int]
    pooled: dict[str, int]


@dataclass
class _Column:
    """One term over all images: values and the images behind each, (values,) a batch; a pooled term's open batch."""

    values: list[Tensor] = field(default_factory=list)
    weights: list[Tensor] = field(default_factory=list)
    pooled: bool = False
    waiting: list[tuple[Tensor, Target]] = field(default_factory=list)


class LossMeans:
    """Gathers an objective's terms batch after batch, on the device; nothing is read back before `result`.

    Args:
        objective: whose terms.
        pooled_batch: images a batch for terms that pool.
    """

    def __init__(self, objective: Objective, pooled_batch: int = POOLED_BATCH) -> None:
        self._objective, self._size = objective, pooled_batch
        self._columns: dict[str, _Column] = {}
        self._terms: dict[str, AppliedTerm] = {}
        self._images = 0

    @torch.no_grad()
    def update(self, prediction: Prediction, quartet: Quartet, span: Span = nullspan) -> None:
        """Add the images of a batch.

        Args:
            prediction, quartet: as for the objective.
            span: entered around each term as ``loss/head.key``.

        Raises:
            RegistryError: the recipe trains a head that the model or the data does not have.
        """
        self._images += len(quartet)
        with torch.autocast(quartet.bg_fg.device.type, enabled=False):
            for term in self._objective.applied(prediction, quartet):
                with span(f"loss/{term.name}"):
                    self._add(term)

    def result(self) -> MeanLosses:
        """Means over all images so far; reads back.

        Raises:
            ValueError: no image was added.
        """
        if not self._columns:
            raise ValueError("no image was added")
        with torch.no_grad():
            for name, column in self._columns.items():
                self._flush(self._terms[name], column, everything=True)
        found = {name: _read(column) for name, column in self._columns.items()}
        broken: set[int] = set()
        means = {}
        for name, (values, weights) in found.items():
            counts = weights > 0
            kept = torch.where(counts, values, 0.0)
            means[name] = (kept * weights).sum() / weights.sum().clamp(min=1)
            for place in (~kept.isfinite()).nonzero().flatten().tolist():
                size = self._size if self._columns[name].pooled else 1
                broken.update(range(place * size, min((place + 1) * size, self._images)))
        losses = self._combined(means)
        named = {"total": losses.total, **losses.heads, **losses.terms}
        return MeanLosses(
            {name: float(value) for name, value in named.items()},
            sorted(broken),
            {name: self._size for name, column in self._columns.items() if column.pooled},
        )

    def _combined(self, means: dict[str, Tensor]) -> Losses:
        device = next(iter(self._terms.values())).prediction.logits.device
        return self._objective.combine({name: mean.to(device) for name, mean in means.items()})

    def _add(self, term: AppliedTerm) -> None:
        self._terms[term.name] = term
        column = self._columns.setdefault(term.name, _Column())
        if not column.pooled:
            with observed() as reductions:
                value = term.function(term.prediction, term.target)
            column.pooled = reductions.pooled
            if not column.pooled:
                # Identity, not equality: what a term computes from a mean over images is no such mean.
                mean = next((mean for mean in reductions.means if mean.mean is value), None)
                if mean is not None:
                    equal = torch.ones_like(mean.values)
                    column.values.append(mean.values)
                    column.weights.append(equal if mean.counts is None else mean.counts.to(equal))
                else:
                    column.values.append(_one_by_one(term, value))
                    column.weights.append(_has_target(term.target))
                return
        column.waiting.append((term.prediction.logits, term.target))
        self._flush(term, column)

    def _flush(self, term: AppliedTerm, column: _Column, everything: bool = False) -> None:
        """Compute a pooled term on the batches that are full, or on what is left."""
        while column.waiting and (everything or sum(len(logits) for logits, _ in column.waiting) >= self._size):
            logits = torch.cat([logits for logits, _ in column.waiting])
            value = torch.cat([target.stored for _, target in column.waiting])
            valid = [target.valid for _, target in column.waiting if target.valid is not None]
            target = Target(value, torch.cat(valid) if valid else None)
            batch, rest = slice(None, self._size), slice(self._size, None)
            column.values.append(term.function(Head(logits[batch]), _part(target, batch)).reshape(1))
            column.weights.append(_has_target(_part(target, batch)).sum().reshape(1))
            column.waiting = [(logits[rest], _part(target, rest))] if len(logits) > self._size else []


def _one_by_one(term: AppliedTerm, value: Tensor) -> Tensor:
    """A term's value for every image alone, (B,)."""
    images = len(term.target.stored)
    if images == 1:
        return value.reshape(1)
    alone = [slice(image, image + 1) for image in range(images)]
    values = [term.function(Head(term.prediction.logits[at]), _part(term.target, at)) for at in alone]
    return torch.stack([value.reshape(()) for value in values])


def _part(target: Target, at: slice) -> Target:
    return Target(target.stored[at], None if target.valid is None else target.valid[at])


def _has_target(target: Target) -> Tensor:
    """1 for the images with any pixel of known target, else 0, (B,)."""
    if target.valid is None:
        return torch.ones(len(target.stored), device=target.stored.device)
    return (target.valid > 0.5).flatten(1).any(1).float()


def _read(column: _Column) -> tuple[Tensor, Tensor]:
    """Values and weights of a term on the host, float64."""
    values, weights = (torch.cat([part.float() for part in parts]) for parts in (column.values, column.weights))
    both = torch.stack([values, weights]).cpu().double()
    return both[0], both[1]
