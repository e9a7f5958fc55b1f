"""How a trained run's score falls as photographs get worse, and where it falls below a baseline's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.core.errors import BenchError
from bench.core.progress import Progress, no_progress
from bench.core.record.metric_facts import MetricFacts
from bench.data.loading.loader import Loader
from bench.data.source import Source
from bench.metrics import metrics
from bench.results.metric_facts import shown
from bench.run.evaluate.scoring import fit_baselines, open_part, score
from bench.run.robust.disturbances import DISTURBANCES, Disturbance
from bench.run.trained import Predict, TrainedRun
from registry.contract import Quartet

_BASELINE = {"mask": "difference", "depth": "mean_map"}
"""The baseline that a head is held against."""
_SEED = 0
"""Of what is drawn to disturb a picture."""


@dataclass(frozen=True)
class Curve:
    """One disturbance.

    Attributes:
        name, summary, unit, amounts: of the disturbance, see `Disturbance`.
        run, baseline: the metric undisturbed and in each grade; None where no image has a value.
        falls_below: the first grade, from 1, in which the run is worse than the baseline; 0 if it is so undisturbed;
            None if it never is.
    """

    name: str
    summary: str
    unit: str
    amounts: tuple[float, ...]
    run: tuple[float | None, ...]
    baseline: tuple[float | None, ...]
    falls_below: int | None


@dataclass(frozen=True)
class Robustness:
    """How a run stands disturbances.

    Attributes:
        run: the run in a few words.
        id: of the run.
        data: what it was measured on.
        samples: test images.
        metric: key.
        facts: of the metric.
        baseline: its name.
        curves: one for each disturbance.
        notes: what a reader should know.
    """

    run: str
    id: str
    data: dict[str, Any]
    samples: int
    metric: str
    facts: MetricFacts
    baseline: str
    curves: tuple[Curve, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        curves = [asdict(curve) for curve in self.curves]
        return {**vars(self), "facts": self.facts.model_dump(mode="json"), "curves": curves, "notes": list(self.notes)}


def robustness(
    run: TrainedRun,
    source: Source,
    metric: str = "",
    samples: int | None = None,
    progress: Progress = no_progress,
    disturbances: Sequence[Disturbance] = DISTURBANCES,
) -> Robustness:
    """Score a run and a baseline on disturbed test samples; the baseline is fitted to undisturbed training samples.

    Args:
        run: to be tested.
        source: on the run's device.
        metric: key; empty: what the leaderboard ranks by, of the run's first head.
        samples: test images; None: as many as the run was tested on.
        progress: called after every grade.
        disturbances: which.

    Raises:
        BenchError: the data has no background, or no truth for the metric.
    """
    protocol = run.record.spec.protocol
    bound = metrics.bind(metric or _ranking(run.heads[0]))
    head = "mask" if bound.facts.head == "joint" else bound.facts.head
    if head not in run.heads:
        raise BenchError(f"{bound.key} judges {head}, and this run predicts {' and '.join(run.heads)}: --metric")
    test = open_part(source, "test", samples or protocol.test_samples, protocol.size)
    if run.needs_background and next(iter(test.in_order())).quartet.bg is None:
        raise BenchError("this run looks at a picture and its background, and the data has no backgrounds")
    name = _BASELINE[head]
    train = open_part(source, "train", protocol.train_samples, protocol.size)
    fitted, notes = fit_baselines([name], train)
    if run.code_change:
        notes.append(run.code_change)
    if source.describe() != run.record.spec.data:
        notes.append("the data is not what the run was trained on")
    if not run.needs_background:
        notes.append("the run sees no background: shift and plate cannot disturb it")
    predictors: list[Predict | None] = [run.predict, fitted.get(name)]

    def values(disturbance: Disturbance | None, amount: float) -> list[float | None]:
        """The metric of each predictor on disturbed images; None where it gives none."""
        found: list[float | None] = []
        for predict in predictors:
            if predict is None:
                found.append(None)
                continue
            scores = score(predict, _disturbed(test, disturbance, amount), [bound.key])
            found.append(scores.summary()[bound.key].value)
        return found

    total, done = 1 + sum(len(each.grades) for each in disturbances), 1
    undisturbed = values(None, 0.0)
    if undisturbed[0] is None:
        raise BenchError(f"the data has no truth that {bound.key} could judge by")
    curves = []
    for disturbance in disturbances:
        pairs = [undisturbed]
        for amount in disturbance.grades:
            pairs.append(values(disturbance, amount))
            done += 1
            progress(disturbance.name, done, total)
        ours, theirs = (tuple(pair[side] for pair in pairs) for side in (0, 1))
        grades = tuple(map(float, disturbance.grades))
        below = falls_below(ours, theirs, bound.facts)
        curves.append(Curve(disturbance.name, disturbance.summary, disturbance.unit, grades, ours, theirs, below))
    return Robustness(
        run=run.label,
        id=run.record.id,
        data=source.describe(),
        samples=test.count,
        metric=bound.key,
        facts=bound.facts,
        baseline=name,
        curves=tuple(curves),
        notes=tuple(notes),
    )


def falls_below(run: Sequence[float | None], baseline: Sequence[float | None], facts: MetricFacts) -> int | None:
    """The first place at which the run is worse than the baseline; None if it never is."""
    for place, (ours, theirs) in enumerate(zip(run, baseline, strict=True)):
        if ours is not None and theirs is not None and facts.better(theirs, ours):
            return place
    return None


def _ranking(head: str) -> str:
    facts = {key: metrics.facts(key) for key in metrics.default()}
    return next(key for key in shown(facts, "ranks") if facts[key].head == head)


def _disturbed(loader: Loader, disturbance: Disturbance | None, amount: float) -> Iterator[Quartet]:
    for batch in loader.in_order():
        quartet = batch.quartet
        yield quartet if disturbance is None else disturbance.change(quartet, amount, _SEED, batch.device_ids)
