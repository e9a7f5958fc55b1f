"""Evaluation: a single pass over a part, metrics accumulated on the device and read back once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.data.loading.loader import Loader
from bench.metrics import MetricFacts
from bench.metrics import metrics as all_metrics
from bench.metrics.attributes import NAMES, attributes
from bench.metrics.scores import Scores
from bench.metrics.summary import Columns, Summary, summarise
from bench.timing.ledger import Ledger
from bench.timing.memory import PeakMeter
from bench.train.failures import Position
from bench.train.isolation.random_state import kept_random_state
from registry.contract import Prediction, Quartet
from registry.losses.means import LossMeans, MeanLosses
from registry.losses.objective import Objective

SHOWN = 8
"""Samples that an evaluation keeps for pictures."""


@dataclass(frozen=True)
class Evaluation:
    """What a pass over a part found.

    Attributes:
        loss: by term and ``total``, every image counted once whatever its batch; empty without an objective.
        broken: the samples whose loss is NaN or infinite.
        pooled: terms that have no value for an image, with the size of the batches on which they were computed.
        columns: per-image values by metric.
        attributes: what the images are like, by name, see `bench.metrics.attributes`.
        ids: the samples, in the order of the columns.
        facts: what is known of each metric, by its key.
        shown: the first samples, at most `SHOWN`, with what was predicted for them.
    """

    loss: dict[str, float]
    broken: Tensor
    pooled: dict[str, int]
    columns: Columns
    attributes: Columns
    ids: Tensor
    facts: dict[str, MetricFacts]
    shown: tuple[Quartet, Prediction]

    def summary(self) -> dict[str, Summary]:
        """Each metric's mean, and the number of images it is over."""
        return summarise(self.columns, self.facts)

    def first(self, count: int) -> tuple[Quartet, Prediction]:
        """So many of the first samples, at most `SHOWN`, with what was predicted for them, on the CPU.

        There they are drawn, pixel by pixel, for which a device would have to be waited for at every step.
        """
        return _first(count, *self.shown, "cpu")


def evaluate(
    model: nn.Module,
    loader: Loader,
    objective: Objective | None,
    autocast: torch.autocast,
    ledger: Ledger,
    heads: Sequence[str],
    metrics: Sequence[str] = tuple(all_metrics.default()),
    position: Position | None = None,
    memory: PeakMeter | None = None,
) -> Evaluation:
    """Score a model on every sample of a loader; the model is left in evaluation mode.

    Only ``heads`` are scored: what a head says that nothing trained is no result. ``position`` is kept up to date;
    ``memory`` is told when the first batch is over.
    """
    position = position or Position()
    if memory is not None:
        memory.begin_part()
    span = position.watch(ledger)
    model.eval()
    scores = Scores(metrics)
    losses = None if objective is None else LossMeans(objective)
    ids: list[Tensor] = []
    images: list[Tensor] = []
    shown: tuple[Quartet, Prediction] | None = None
    with torch.no_grad(), kept_random_state(ledger.device):  # what a metric draws is not training's
        batches = ledger.steps(loader.in_order(), images=lambda batch: len(batch.ids))
        for number, batch in enumerate(batches, 1):
            position.batch(number, batch.ids)
            with span("h2d"):
                quartet = batch.arrive()
            with span("forward"), autocast:
                prediction = _predict(model, quartet, loader.batch).only(heads)
            if losses is not None:
                losses.update(prediction, quartet, span=span)
            with span("metrics"):
                images.append(attributes(quartet))
                scores.update(prediction, quartet)
                shown = shown or _first(SHOWN, quartet, prediction)
            ids.append(batch.ids)
            if number == 1 and memory is not None:
                memory.settle()
    assert shown is not None, "a part has samples"
    means = MeanLosses({}, [], {}) if losses is None else losses.result()
    samples = torch.cat(ids)
    return Evaluation(
        loss=means.losses,
        broken=samples[torch.tensor(means.broken, dtype=torch.long)],
        pooled=means.pooled,
        columns=scores.result(),
        attributes=dict(zip(NAMES, torch.cat(images, dim=1).cpu().numpy(), strict=True)),
        ids=samples,
        facts=scores.facts,
        shown=shown,
    )


def _first(
    count: int, quartet: Quartet, prediction: Prediction, device: str | None = None
) -> tuple[Quartet, Prediction]:
    """Copies of so many, predictions in float32, where they are or on another device."""

    def copied(values: Tensor) -> Tensor:
        """The first of some images."""
        return values[:count].to(device or values.device, copy=True)

    logits = prediction.mask_logits, prediction.depth_logits
    return quartet.map(copied), Prediction(*(None if values is None else copied(values).float() for values in logits))


def _predict(model: nn.Module, quartet: Quartet, batch: int) -> Prediction:
    """The model's answer; on CUDA to as many images as ever, as a last batch of another size would be a new shape.

    Kernels are chosen for each shape, at a cost of many batches; what an image gets does not depend on the others.
    """
    images, count = quartet.inputs, len(quartet)
    if count >= batch or not _shapes_are_dear(quartet.bg_fg.device):
        return model(*images)  # type: ignore[no-any-return]
    at = torch.arange(batch, device=quartet.bg_fg.device) % count
    output: Prediction = model(*(image.index_select(0, at) for image in images))
    heads = output.mask_logits, output.depth_logits
    return Prediction(*(None if logits is None else logits[:count] for logits in heads))


def _shapes_are_dear(device: torch.device) -> bool:
    """Whether a new shape costs much more than a shape that was used before."""
    return device.type == "cuda"
