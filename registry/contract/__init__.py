"""The tensors that models, terms and metrics agree on: `Quartet` in, `Prediction` out.

Images and targets are in [0, 1]; one sigmoid turns the logits of each head into its values, and every depth term and
every metric compares these values.
"""

from __future__ import annotations

from registry.contract.checks import check_loss, check_prediction, check_quartet, check_values
from registry.contract.model import Model
from registry.contract.prediction import Head, Prediction
from registry.contract.quartet import Quartet, Target

__all__ = [
    "Head",
    "Model",
    "Prediction",
    "Quartet",
    "Target",
    "check_loss",
    "check_prediction",
    "check_quartet",
    "check_values",
]
