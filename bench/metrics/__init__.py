"""Metrics of predictions: a value per image and metric, a mean at the end.

What the metrics are lies in `table` as data and costs no torch to read; the functions behind it are imported when
they are first used. `scores.Scores` gathers values on the device, `summary` reduces them to a figure each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.core.record.metric_facts import MetricFacts
from bench.metrics.metric import Metric
from bench.metrics.table import metrics

if TYPE_CHECKING:
    import torchmetrics

__all__ = ["Metric", "MetricFacts", "as_torchmetrics", "metrics"]


def as_torchmetrics(key: str, **options: Any) -> torchmetrics.Metric:
    """One of our metrics as a `torchmetrics.Metric`, see `bench.metrics.adapter`; imports torch and torchmetrics.

    Args:
        key: the metric's, with its parameters in brackets.
        options: of `torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        UnknownName, BadParameter: an unknown metric, or a parameter that it does not take.
    """
    from bench.metrics.adapter import adapt

    return adapt(key, **options)
