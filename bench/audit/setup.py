"""`Setup`: the experiment under audit, and the few small samples that all checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from bench.audit import probe
from bench.audit.reference_predictions import ReferencePredictions, find_reference_predictions, predict
from bench.core.errors import BenchError
from bench.core.protocol import Protocol
from bench.data.augment.pipeline import augment
from bench.data.source import Source
from bench.data.split import Part
from bench.metrics import Metric
from bench.metrics.scores import default_metrics, scores_of
from bench.metrics.view import View
from registry.contract import Prediction, Quartet, Target, check_prediction
from registry.losses.objective import Objective
from registry.losses.recipe import HeadPart, Recipe
from registry.losses.terms import terms

if TYPE_CHECKING:
    from registry.losses.terms import Term

Augment = Callable[[Quartet, int, int, Tensor, str], Quartet]
"""As `bench.data.augment.pipeline.augment`: (quartet, seed, epoch, ids, level) to an augmented quartet."""


class BoundTerm(NamedTuple):
    """A term of the recipe in its place: its head, its weight and the function with its parameters bound."""

    head: str
    key: str
    weight: float
    run: Term

    @property
    def name(self) -> str:
        """As losses are logged, ``depth.ssim[window=7]``."""
        return f"{self.head}.{self.key}"


class ModelOutput(NamedTuple):
    """What the model predicts, in training mode, for a small batch: the prediction with its graph, and the batch."""

    prediction: Prediction
    quartet: Quartet


@dataclass
class Setup:
    """An experiment as it is set up, before it is run.

    Attributes:
        recipe: what is minimised.
        source: where quartets come from.
        protocol: the budget, with optimizer, schedule and augmentation.
        model: a fresh model that the audit may run; None to leave it out.
        metrics: what is reported, by name.
        augmentation: what the protocol's level is applied by.
    """

    recipe: Recipe
    source: Source
    protocol: Protocol
    model: nn.Module | None = None
    metrics: Mapping[str, Metric] = field(default_factory=default_metrics)
    augmentation: Augment = augment

    @cached_property
    def rendered(self) -> Quartet:
        """A few training samples as the source renders them, on the CPU."""
        return probe.render(self.source, min(probe.SIDE, self.protocol.size))

    @cached_property
    def quartet(self) -> Quartet:
        """The same as training sees them, in 8 bits; at the protocol's size if a term needs larger maps."""
        small = probe.select(self.rendered)
        heads = tuple(head for head in self.recipe.heads if getattr(small, head) is not None)
        if not heads:
            raise BenchError(f"nothing to train: the recipe is {self.recipe.text!r}, the data has nothing of that")
        zeros = torch.zeros_like(small.bg_fg[:, :1])
        try:
            self.objective_for(heads)(Prediction(zeros, zeros), small)
        except ValueError:  # a window that is larger than the maps
            return probe.select(probe.render(self.source, self.protocol.size))
        return small

    @cached_property
    def large(self) -> Quartet:
        """The same samples at the size of the protocol, `probe.LARGEST` at most."""
        side = min(probe.LARGEST, self.protocol.size)
        same = side == self.quartet.bg_fg.shape[-1]
        return self.quartet if same else probe.select(probe.render(self.source, side))

    @cached_property
    def sampled(self) -> dict[Part, probe.Sampled]:
        """Samples of every part, before a still camera: of the backgrounds and of the objects that come first."""
        counts: dict[Part, int] = {
            "train": self.protocol.train_samples,
            "val": self.protocol.val_samples,
            "test": self.protocol.test_samples,
        }
        return {
            part: probe.sample(self.source, part, min(count, probe.LOOKED_THROUGH)) for part, count in counts.items()
        }

    @cached_property
    def output(self) -> ModelOutput | None:
        """The model's output to two samples, at the smallest size that it takes; None without a model.

        Raises:
            ContractError: it returns no `Prediction` of the right shapes.
        """
        if self.model is None:
            return None
        stride = int(getattr(self.model, "stride", 1))
        quartet = self.quartet.map(lambda tensor: tensor[:2])
        if quartet.bg_fg.shape[-1] % stride:
            quartet = probe.in_8_bits(probe.render(self.source, -(-probe.SIDE // stride) * stride, images=2))
        self.model.train()
        try:
            prediction = self.model(*quartet.inputs)
        except (ValueError, RuntimeError):  # a foreign model need not say which sizes it takes
            quartet = probe.in_8_bits(probe.render(self.source, self.protocol.size, images=2))
            prediction = self.model(*quartet.inputs)
        return ModelOutput(check_prediction(prediction, quartet.bg_fg, type(self.model).__name__), quartet)

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The heads that will be trained: those of the recipe that the data and the model have.

        Raises:
            BenchError: none is left.
        """
        output = self.output
        predicted = self.recipe.heads if output is None else tuple(name for name, _ in output.prediction.heads())
        heads = tuple(h for h in self.recipe.heads if h in predicted and getattr(self.quartet, h) is not None)
        if not heads:
            raise BenchError(
                f"nothing to train: the model predicts {' and '.join(predicted)}, the recipe is {self.recipe}"
            )
        return heads

    @cached_property
    def objective(self) -> Objective:
        """The recipe on the trained heads, as `objective_for`."""
        return self.objective_for(self.heads)

    def objective_for(self, heads: tuple[str, ...]) -> Objective:
        """The recipe on some heads, without any weighting of the heads: that has no optimum of its own."""
        return Objective(replace(self.recipe, weighting="fixed"), heads=heads)

    @cached_property
    def parts(self) -> tuple[HeadPart, ...]:
        """The recipe's parts for the trained heads."""
        return tuple(part for part in self.recipe.parts if part.head in self.heads)

    @cached_property
    def terms(self) -> tuple[BoundTerm, ...]:
        """Every term of every trained head."""
        return tuple(
            BoundTerm(part.head, term.key, term.weight, terms.bind(term.key))
            for part in self.parts
            for term in part.terms
        )

    def truth(self, head: str) -> Target:
        """A head's target as the data has it."""
        target = self.quartet.target(head)
        assert target is not None
        return target

    def term_target(self, part: HeadPart) -> Target:
        """A head's target as the recipe's terms see it."""
        truth = self.truth(part.head)
        return Target((truth.value - part.mean) / part.std, truth.valid)

    @cached_property
    def reference(self) -> ReferencePredictions:
        """The truth, the best constants and the loss-optimal prediction, each with its loss."""
        truth = {head: self.truth(head).value for head in self.heads}
        return find_reference_predictions(self.objective, truth, self.quartet)

    @cached_property
    def filled(self) -> Quartet:
        """The samples with their targets known everywhere, the mean of what lies near where they are not.

        A metric's direction is that of its formula; on few pixels, a metric that compares neighbours judges by chance.
        """
        known = {head: probe.filled(target) for head, target in self.targets()}
        valid = None if "depth" not in known else torch.ones_like(known["depth"])
        return Quartet(self.quartet.bg, self.quartet.bg_fg, known.get("mask"), known.get("depth"), valid)

    def scores(self, logits: Mapping[str, Tensor], quartet: Quartet | None = None) -> dict[str, float]:
        """What the metrics say of these logits; those that have nothing to say are left out."""
        return scores_of(self.metrics, View(predict(logits), self.quartet if quartet is None else quartet))

    def has_known_target(self, head: str) -> bool:
        """Whether the samples that are studied have any known target for a head."""
        target = self.truth(head)
        return target.valid is None or bool((target.valid > 0.5).any())

    def noise(self, stream: int) -> Tensor:
        """Uniform noise in [0, 1) of the samples' shape; the same for the same stream."""
        draw = torch.Generator().manual_seed(stream)
        return torch.rand(len(self.quartet), 1, *self.quartet.bg_fg.shape[-2:], generator=draw)

    def targets(self) -> Iterator[tuple[str, Target]]:
        """The targets that the data has, by head."""
        for head in ("mask", "depth"):
            if getattr(self.quartet, head) is not None:
                yield head, self.truth(head)
