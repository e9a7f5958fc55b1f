"""How good a prediction is: one value per image and metric, a mean at the end.

What the metrics are lies in `table` as data and costs no torch to read; the functions behind it are imported when
they are first asked for. `scores.Scores` gathers values on the device, `summary` turns them into one figure each.
"""

from bench.core.metric_facts import MetricFacts
from bench.metrics.metric import Metric
from bench.metrics.table import metrics

__all__ = ["Metric", "MetricFacts", "metrics"]
