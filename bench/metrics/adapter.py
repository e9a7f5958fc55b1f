"""Our metrics as `torchmetrics.Metric` objects, for those who have a training loop of their own."""

from __future__ import annotations

from typing import Any

import torch
import torchmetrics
from torch import Tensor

from bench.core.record.metric_facts import MetricFacts
from bench.metrics.metric import Metric
from bench.metrics.scores import column_of, weights_of
from bench.metrics.table import metrics
from bench.metrics.view import View
from registry.contract import Prediction, Quartet


class AsTorchmetrics(torchmetrics.Metric):  # type: ignore[misc]
    """One of our metrics with torchmetrics' interface: ``update``, ``compute``, ``reset``, synchronised over ranks.

    It equals `bench.metrics.scores.Scores.summary`: the mean over all images where the metric is defined.

    Args:
        metric: the metric.
        options: of `torchmetrics.Metric`, such as ``dist_sync_fn`` or ``sync_on_compute``.
    """

    full_state_update = False
    is_differentiable = False
    total: Tensor
    weight: Tensor

    def __init__(self, metric: Metric, **options: Any) -> None:
        super().__init__(**options)
        self._metric = metric
        for name in ("total", "weight"):
            self.add_state(name, default=torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    @property
    def higher_is_better(self) -> bool:
        """Its direction."""
        return self.facts.higher_is_better

    @property
    def facts(self) -> MetricFacts:
        """What is known of the metric."""
        return self._metric.facts

    def update(self, prediction: Prediction, quartet: Quartet) -> None:
        """Add the images of a batch.

        Args:
            prediction: logits of the heads, (B, 1, H, W) each.
            quartet: the batch with its targets.
        """
        view = View(prediction, quartet)
        with torch.autocast(view.device.type, enabled=False):
            values = column_of(self._metric, view).double()
            weights = torch.ones_like(values)
            if self.facts.weight is not None:
                weights = weights_of(self.facts.weight, view).double()
        counts = ~values.isnan() & (weights > 0)
        self.total = self.total + torch.where(counts, weights * values**self.facts.power, 0.0).sum()
        self.weight = self.weight + torch.where(counts, weights, 0.0).sum()

    def compute(self) -> Tensor:
        """The metric over all images so far, float32; NaN if it was undefined for all of them."""
        return (self.total / self.weight).pow(1 / self.facts.power).float()


def adapt(key: str, **options: Any) -> AsTorchmetrics:
    """The metric of that key as a `torchmetrics.Metric`; ``update`` takes a `Prediction` and a `Quartet`.

    >>> metric = adapt("mask_dice")
    >>> logits, mask = torch.full((2, 1, 8, 8), 9.0), torch.ones(2, 1, 8, 8)
    >>> metric.update(Prediction(mask_logits=logits), Quartet(None, torch.zeros(2, 3, 8, 8), mask=mask))
    >>> metric.compute()
    tensor(1.)

    Raises:
        UnknownName, BadParameter: an unknown metric, or a parameter that it does not take.
    """
    return AsTorchmetrics(metrics.bind(key), **options)
