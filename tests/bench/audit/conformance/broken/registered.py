"""A metric that says it is perfect at 1 and counts pixels; apart, as importing it registers it."""

from torch import Tensor

from bench.metrics import metrics
from registry.contract import Head, Target


@metrics.register(head="mask", higher_is_better=True)
def recall_of_all(prediction: Head, target: Target) -> Tensor:
    """Share of all pixels, rather than of the object's, that are rightly predicted on."""
    return ((prediction.value > 0.5) & (target.value > 0.5)).float().flatten(1).mean(1)
