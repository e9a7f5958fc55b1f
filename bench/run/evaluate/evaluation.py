"""Recorded runs on data that they were not trained on, beside the baselines fitted on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from bench.core.code import code_version
from bench.core.errors import BenchError
from bench.core.machine import environment
from bench.core.record import Score
from bench.core.record.evaluation import EvaluationRecord
from bench.data.depth_units import greater_is_nearer, metres
from bench.data.loading.loader import Loader
from bench.data.source import Source
from bench.data.sources import check_source
from bench.metrics import metrics as all_metrics
from bench.metrics.scores import Scores
from bench.metrics.summary import skill
from bench.results.store import evaluations
from bench.run.baselines import BASELINES
from bench.run.evaluate.overlap import overlap
from bench.run.evaluate.scoring import fit_baselines, open_part, score
from bench.run.sample_columns import sample_columns
from bench.run.trained import Predict, TrainedRun
from bench.train.assemble import Run
from registry.contract import Prediction, Quartet


@dataclass
class Evaluator:
    """Scores runs on one source; what is rendered and fitted is kept for the next run.

    Attributes:
        source: on the device of the runs.
        results: folder of records; evaluations lie below it.
        samples: test images; None: as many as a run was tested on.
        size: side of the images; None: as a run was tested.

    Raises:
        BenchError: a source of one's own that cannot be told from others, see `check_source`.
    """

    source: Source
    results: Path
    samples: int | None = None
    size: int | None = None
    _parts: dict[tuple[Any, ...], Loader] = field(default_factory=dict, init=False)
    _fitted: dict[tuple[int, int, int], tuple[dict[str, Scores], list[str]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        check_source(self.source)

    @cached_property
    def data(self) -> dict[str, Any]:
        """The source's description of itself."""
        return self.source.describe()

    def evaluate(self, run: TrainedRun) -> tuple[EvaluationRecord, Path]:
        """Score a run's weights as they are, and record it.

        Raises:
            BenchError: its record holds that very test, it needs backgrounds that the data lacks, or cannot be scored.
        """
        spec = run.record.spec
        size, samples = self.size or spec.protocol.size, self.samples or spec.protocol.test_samples
        if size % run.stride:
            raise BenchError(f"{run.label} takes sizes that are multiples of {run.stride}, not {size}")
        available = self.source.count("test")
        samples = samples if available is None else min(samples, available)
        if self.data == spec.data and size == spec.protocol.size and samples <= spec.protocol.test_samples:
            raise BenchError(
                f"{run.label} was trained on this very data: its record holds its test on it; another test of it has "
                "another --size, or more --samples"
            )
        test = self._part("test", samples, size)
        if run.needs_background and next(iter(test.in_order())).quartet.bg is None:
            raise BenchError(f"{run.label} looks at a picture and its background, and the data has no backgrounds")
        keys = all_metrics.default()
        predict, kept, note = _comparable(run, self.source, keys)
        notes = [text for text in (overlap(run, self.source, test.count), run.code_change, note) if text]
        scores = score(predict, (batch.quartet for batch in test.in_order()), kept)
        found = {name: value for name, value in scores.summary().items() if value.images}
        if not found:
            raise BenchError(f"nothing that {run.label} predicts is compared: {note or 'the data has no truth for it'}")
        fitted, left_out = self._baselines(spec.protocol.train_samples, test)
        summaries = {name: fitted_scores.summary() for name, fitted_scores in fitted.items()}
        train = self._part("train", spec.protocol.train_samples, size)
        evaluation = EvaluationRecord(
            run=run.record.id,
            cell=run.record.cell,
            record=run.name,
            model=spec.model,
            recipe_name=run.record.recipe_name,
            seed=spec.seed,
            trained_on=spec.data,
            data=self.data,
            size=size,
            samples=test.count,
            fitted_on=train.count,
            test={name: _score(value.value, value.images) for name, value in found.items()},
            baselines={
                baseline: {
                    name: _score(value.value, value.images)
                    for name, value in summary.items()
                    if name in found and value.images
                }
                for baseline, summary in summaries.items()
            },
            skill={
                name: skill(value.value, [summary[name].value for summary in summaries.values()], scores.facts[name])
                for name, value in found.items()
            },
            metrics={name: scores.facts[name] for name in found},
            notes=[*notes, *left_out],
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            code=code_version(*Run.of(spec).names),
            environment=environment(run.device),
        )
        return evaluation, evaluations.write(self.results, evaluation, self._images(test, scores))

    def _part(self, part: Any, samples: int, size: int) -> Loader:
        key = part, samples, size
        if key not in self._parts:
            self._parts[key] = open_part(self.source, part, samples, size)
        return self._parts[key]

    def _baselines(self, train_samples: int, test: Loader) -> tuple[dict[str, Scores], list[str]]:
        key = train_samples, test.count, test.size
        if key not in self._fitted:
            fitted, notes = fit_baselines(BASELINES, self._part("train", train_samples, test.size))
            self._fitted[key] = (
                {
                    name: score(predict, (batch.quartet for batch in test.in_order()), all_metrics.default())
                    for name, predict in fitted.items()
                },
                notes,
            )
        return self._fitted[key]

    def _images(self, test: Loader, scores: Scores) -> Mapping[str, Sequence[float | int]]:
        columns = {name: values.tolist() for name, values in scores.result().items()}
        return {**sample_columns(self.source, torch.arange(test.count)), **columns}


def _comparable(run: TrainedRun, source: Source, keys: Sequence[str]) -> tuple[Predict, list[str], str]:
    """How to ask a run about this data, by which metrics, and why so.

    Metric depths of two ranges are brought to the data's, and beyond it. Of other encodings only what is measured after
    the best scale and shift can be compared, and that only where greater is farther in both.
    """
    ours, theirs = str(run.record.spec.data.get("encoding", "")), source.encoding
    if "depth" not in run.heads or not source.has_depth or ours == theirs:
        return run.predict, list(keys), ""
    full, wanted = metres(ours), metres(theirs)
    if full is not None and wanted is not None:
        return _scaled(run.predict, full / wanted), list(keys), f"depth was brought from {ours!r} to {theirs!r}"
    inverse = [greater_is_nearer(encoding) for encoding in (ours, theirs)]
    kept = [
        key
        for key in keys
        if all_metrics.facts(key).head == "mask" or (key.endswith("_aligned") and inverse[0] == inverse[1])
    ]
    if inverse[0] == inverse[1]:
        why = "only figures after the best scale and shift are compared"
    else:
        why = "greater is nearer in one of them alone, so that no figure of depth is compared"
    return run.predict, kept, f"depth is {ours!r} in training and {theirs!r} here: {why}"


def _scaled(predict: Predict, ratio: float) -> Predict:
    def scaled(quartet: Quartet) -> Prediction:
        prediction = predict(quartet)
        return prediction if prediction.depth is None else prediction.with_depth(prediction.depth.value * ratio)

    return scaled


def _score(value: float | None, images: int) -> Score:
    finite = value is not None and abs(value) != float("inf")
    return Score(value=value if finite else None, images=images)
