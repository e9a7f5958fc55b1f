"""From a run to its `Record`: what is known when training begins, completed by what became of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

import torch

from bench.core.amount import amount
from bench.core.code import code_version, own_code, plugin_distributions
from bench.core.finding import Finding
from bench.core.machine import environment
from bench.core.protocol import Protocol
from bench.core.record import UNTUNED, Epoch, Failure, Load, Outcome, Record, Score
from bench.core.record.timings import HOST_BOUND
from bench.data.source import Source
from bench.timing.ledger import Ledger
from bench.timing.summary import host_bound, marked_windows
from bench.timing.window import Window
from bench.train.arithmetic import arithmetic
from bench.train.assemble import Run
from bench.train.checks.trial import Size
from bench.train.evaluate import Evaluation
from bench.train.events import Observers
from bench.train.failures import failure_of, outcome_of
from bench.train.loop import TrainingResult

NOT_FINITE = "predictions on the test split hold NaN or infinity"


def begin_record(
    run: Run,
    device: torch.device,
    size: Size | None = None,
    audit: Sequence[Finding] = (),
    source: Source | None = None,
) -> Record:
    """The record of a run that begins now, as it stays if nothing more is heard of it: outcome ``killed``.

    Args:
        run: what is made.
        device: where.
        size: of its model, if it is known yet.
        audit: what the audit found.
        source: what it is trained on, for what it says of itself.
    """
    spec, where = run.spec, environment(device)
    none = Ledger(device).timings()
    facts = {
        "gmacs": None if size is None else size.gmacs_reason,
        "model": [] if size is None else list(size.notes),
        "data": {} if source is None else source.facts(),
        "plugins": plugin_distributions(*run.names),
        "own_code": own_code(spec.model),
    }
    return Record(
        id=spec.id,
        cell=spec.cell,
        spec=spec,
        recipe_name=run.recipe_name,
        outcome="killed",
        reason="its process ended before the run did",
        started=_now(),
        finished=_now(),
        seconds=0.0,
        code=code_version(*run.names),
        environment=where,
        fingerprint=where.fingerprint,
        parameters=0 if size is None else size.parameters,
        gmacs=None if size is None else size.gmacs,
        loading="none",
        epochs=[],
        best_epoch=None,
        test={},
        timings=none,
        evaluation=none,
        peak_mib=0.0,
        audit=list(audit),
        arithmetic=arithmetic(device, spec.precision),
        division=run.tuning.division if run.tuning else UNTUNED,
        tuning=run.tuning,
        facts={name: value for name, value in facts.items() if value},
    )


def complete_record(
    begun: Record,
    trained: TrainingResult | None,
    error: BaseException | None,
    observers: Observers,
    seconds: float,
    tiers: Iterable[str],
    share: int = 1,
) -> Record:
    """The record of a run that is over.

    Args:
        begun: as `begin_record` gave it.
        trained: what training gave; None where it raised ``error``.
        error: what ended it.
        observers: what was measured.
        seconds: that it took.
        tiers: by which its training samples came.
        share: runs that computed on the device at once.
    """
    outcome: Outcome = "finished"
    reason: str | None = None
    failure: Failure | None = None
    scores = {} if trained is None else trained.test.summary()
    if error is not None:
        outcome, reason = outcome_of(error)
        failure = failure_of(error, observers.position, observers.memory.mib)
    elif any(score.value is not None and not math.isfinite(score.value) for score in scores.values()):
        outcome, reason, failure, scores = "diverged", NOT_FINITE, Failure(phase="test"), {}
    peaks = {stage: round(mib, 1) for stage, mib in observers.memory.stages.items()}
    facts: dict[str, Any] = {
        "peak_mib": peaks if len(peaks) > 1 else {},
        "stages": [] if trained is None else _stages(begun.spec.protocol, trained.history, observers.training.windows),
        "engine": f"{observers.training.plain_engine}: {observers.refused}" if observers.refused else "",
        "blocks": _of_blocks(observers.training),
        "resumed_from": {} if trained is None else trained.others,
        "metrics": {} if trained is None or outcome != "finished" else _without_value(trained),
        **({} if trained is None else trained.facts),
    }
    made: dict[str, Any] = {
        "outcome": outcome,
        "reason": reason,
        "failure": failure,
        "finished": _now(),
        "seconds": seconds,
        "loading": " and ".join(sorted(tiers)) or "none",
        "test": {name: Score(value=score.value, images=score.images) for name, score in scores.items()},
        "seen": {} if trained is None or not scores else _finite(trained.seen),
        "timings": observers.training.timings(),
        "evaluation": observers.evaluation.timings(),
        "peak_mib": observers.memory.mib,
        "peak_of": observers.memory.kind,
        "load": load_of(observers.training.windows, share),
        "facts": begun.facts | {name: value for name, value in facts.items() if value},
    }
    if trained is not None:
        made |= {
            "epochs": trained.history,
            "best_epoch": trained.best_epoch,
            "resumed": trained.resumed,
            "metrics": trained.test.facts,
            "pooled_terms": trained.test.pooled,
        }
    return begun.model_copy(update=made)


def _of_blocks(ledger: Ledger) -> str:
    """Why no blocks were timed, or that they are launch times; empty where there is nothing to say of them."""
    marked = marked_windows(ledger.windows)
    if marked:
        return HOST_BOUND if host_bound(marked, ledger.device) else ""
    return f"not timed: {ledger.untimed}" if ledger.untimed else ""


def _stages(protocol: Protocol, history: Sequence[Epoch], windows: Sequence[Window]) -> list[dict[str, Any]]:
    """What each stage of progressive training came to: size, epochs, rate, and validation metrics at its end.

    Validation is at the last stage's size throughout, so that the stages can be compared.
    """
    if len(protocol.stages) < 2:
        return []
    found, first = [], 0
    for stage in protocol.stages:
        epochs = [epoch for epoch in history if first < epoch.epoch <= first + stage.epochs]
        first += stage.epochs
        if not epochs:
            continue
        rates = [w.images / w.seconds for w in windows if w.tag == stage.label and w.blocks is None]
        found.append(
            {
                "size": stage.size,
                "batch": stage.batch,
                "epochs": len(epochs),
                "images_per_second": round(median(rates), 1) if rates else None,
                "val_loss": epochs[-1].val_loss["total"],
                "val_metrics": epochs[-1].val_metrics,
            }
        )
    return found


def _finite(seen: Evaluation | None) -> dict[str, Score]:
    """What was scored on seen groups, without what is NaN or infinite."""
    found = {} if seen is None else seen.summary()
    return {
        name: Score(value=score.value, images=score.images)
        for name, score in found.items()
        if score.value is not None and math.isfinite(score.value)
    }


def _without_value(trained: TrainingResult) -> dict[str, str]:
    """Why metrics of heads that were tested have no value, by key."""
    scores, facts = trained.test.summary(), trained.test.facts
    return {
        key: "NaN or infinite for every test image"
        for key, score in scores.items()
        if score.value is None
        and facts[key].on_request
        and set(facts[key].needs) & {"mask", "depth"} <= {*trained.heads}
    }


def load_of(windows: Sequence[Window], share: int = 1) -> Load | None:
    """What others did to the machine during these windows of training; None where there are none.

    Args:
        windows: of training.
        share: runs that were made on the device at once: with more than one, every window is disturbed.
    """
    if not windows:
        return None
    beside = f"beside {amount(share - 1, 'other run')} of a sweep" if share > 1 else None
    reasons = Counter(reason for window in windows if (reason := window.disturbed or beside) is not None)
    others = [window.others for window in windows if window.others is not None]
    return Load(
        windows=len(windows),
        disturbed=reasons.total(),
        others=round(median(others), 4) if others else None,
        reasons=dict(reasons.most_common()),
        marked=reasons.total() == len(windows),
        unknown=None if others or reasons else "nothing counts what others take of this machine",
        shared=share,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
