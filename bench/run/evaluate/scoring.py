"""What a trained run and the baselines score on quartets that they did not meet in training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from bench.core.machine import free_bytes
from bench.data.loading.loader import RESIDENT_SHARE, Loader
from bench.data.source import Source
from bench.data.split import Part
from bench.metrics.scores import Scores
from bench.run.baselines import why_left_out
from bench.run.trained import Predict
from registry.contract import Prediction, Quartet
from registry.models import models
from registry.models.baselines import Fitted

BATCH = 32
"""Images at once; no score depends on it."""


def open_part(source: Source, part: Part, samples: int, size: int) -> Loader:
    """The first samples of a part, as many as it has, through the packing that training sees them through."""
    available = source.count(part)
    count = samples if available is None else min(samples, available)
    return Loader(source, part, count, size, BATCH, int(RESIDENT_SHARE * free_bytes(source.device)))


def score(predict: Predict, quartets: Iterable[Quartet], metrics: Sequence[str]) -> Scores:
    """Per-image metrics of what is predicted for quartets."""
    scores = Scores(metrics)
    for quartet in quartets:
        scores.update(predict(quartet), quartet)
    return scores


def fit_baselines(names: Sequence[str], loader: Loader) -> tuple[dict[str, Predict], list[str]]:
    """Baselines fitted to the samples of a loader, and why others are left out, in sentences."""
    fitted: dict[str, Predict] = {}
    notes = []
    for name in names:
        if reason := why_left_out(name, loader.source):
            notes.append(f"{name} is left out: {reason}")
            continue
        model = models.build(name)
        assert isinstance(model, Fitted)
        try:
            with torch.no_grad():
                model.fit(batch.quartet for batch in loader.in_order())
        except ValueError as error:
            notes.append(f"{name} is left out: {error}")
            continue
        fitted[name] = _predictor(model.eval())
    return fitted, notes


def _predictor(model: Fitted) -> Predict:
    @torch.no_grad()
    def predict(quartet: Quartet) -> Prediction:
        answer: Prediction = model(*quartet.inputs)
        return answer

    return predict
