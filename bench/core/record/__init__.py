"""Records of runs and of evaluations in ``results/``, as data; imports no torch."""

from __future__ import annotations

from bench.core.record.evaluation import EvaluationRecord
from bench.core.record.metric_facts import MetricFacts, MetricHead
from bench.core.record.run import Epoch, Failure, Load, Outcome, Phase, PrecisionChoice, Record, Score
from bench.core.record.timings import BlockTime, Timings
from bench.core.record.trial import TrialRecord
from bench.core.record.tuning import UNTUNED, TriedValue, Tuning

__all__ = [
    "UNTUNED",
    "BlockTime",
    "Epoch",
    "EvaluationRecord",
    "Failure",
    "Load",
    "MetricFacts",
    "MetricHead",
    "Outcome",
    "Phase",
    "PrecisionChoice",
    "Record",
    "Score",
    "Timings",
    "TrialRecord",
    "TriedValue",
    "Tuning",
]
