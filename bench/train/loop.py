"""The training loop, top to bottom: build, train epoch by epoch, keep the best on validation, test once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.core.code import code_version
from bench.core.errors import BadData
from bench.core.record import Epoch
from bench.data.loading.loader import Loader
from bench.data.split import Part
from bench.metrics import metrics as all_metrics
from bench.train.arithmetic import arithmetic
from bench.train.assemble import Run, autocast_of, build_model, build_step
from bench.train.beginning import begin_training
from bench.train.checkpoints import checkpoint
from bench.train.checkpoints.training_state import LAST, TrainingState, selection
from bench.train.checks.compatibility import check_sizes, common_heads
from bench.train.engines.engine import begin_epoch, blocks_need_room, ever_replayed, refusal, run_by, uncaptured
from bench.train.evaluate import Evaluation, evaluate
from bench.train.events import Observers
from bench.train.failures import Diverged
from bench.train.loss_trace import LossTrace
from bench.train.patience import out_of_patience, stopped_early
from bench.train.step import Step
from bench.train.task_gradients import TaskGradients
from registry.losses.objective import Objective
from registry.losses.recipe import HEADS
from registry.models.baselines import Fitted

_SETTLED = 2
"""Steps of an epoch after which cuDNN has chosen its algorithms, and before which no step is captured."""

Loaders = Callable[[Part, int, int, int], Loader]


@dataclass
class TrainingResult:
    """What is left when training is over.

    Attributes:
        model, heads: that were tested.
        history, best_epoch: its epochs, and the number of the epoch with the lowest validation loss.
        test: the scores of the test.
        resumed: times that training was taken up again.
        others: what else made parts of it: code and arithmetic of checkpoints that were gone on from all the same.
        facts: of its beginning and its end, for the record: first weights, normalisation, early stopping.
        seen: scores on further samples of the groups of training, where these were tested, too.
    """

    model: nn.Module
    heads: Sequence[str]
    history: list[Epoch]
    best_epoch: int | None
    test: Evaluation
    resumed: int
    others: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    seen: Evaluation | None = None


def train(
    run: Run,
    loaders: Loaders,
    folder: Path,
    device: torch.device,
    observers: Observers,
    metrics: Sequence[str] = tuple(all_metrics.default()),
    resume_anyway: bool = False,
) -> TrainingResult:
    """Train a run and test it, resuming from the last checkpoint in ``folder`` if it has one.

    Args:
        run: what to train; decides the outcome together with the device.
        loaders: gives the loader for (part, samples, image side, batch).
        folder: where this run's checkpoints lie.
        device: where to compute.
        observers: who looks on.
        metrics: keys of what validation and test are scored by.
        resume_anyway: go on from a checkpoint of other code or arithmetic, too.

    Raises:
        Diverged: the loss became NaN or infinite.
        BenchError: the recipe and the model or the data do not fit together.
        Interrupted: a signal requested to stop; a checkpoint was written.
    """
    spec, protocol, listener, position = run.spec, run.spec.protocol, observers.listener, observers.position
    ledger, evaluations, memory = observers.training, observers.evaluation, observers.memory
    span = position.watch(ledger)
    autocast = autocast_of(spec, device)

    def load(part: Part, size: int, batch: int) -> Loader:
        """Samples of a part, at a size and batch of its stage."""
        counts = {"train": protocol.train_samples, "val": protocol.val_samples, "test": protocol.test_samples}
        with memory.set_aside():  # samples that lie on the device are not the training's
            return loaders(part, counts[part], size, batch).serving(spec.inputs)

    memory.begin()
    last = protocol.stages[-1]
    validation = load("val", last.size, last.batch)
    model = build_model(spec, device)
    position.model = model
    check_sizes(spec, model)

    def test(model: nn.Module, objective: Objective | None, heads: Sequence[str]) -> Evaluation:
        """Metrics of a model on the test images, and its loss where there is an objective."""
        position.enter("test")
        listener.phase("test")
        samples = load("test", last.size, last.batch)
        return evaluate(model, samples, objective, autocast, evaluations, heads, metrics, position, memory)

    if run.recipe is None or isinstance(model, Fitted):  # learns nothing by gradient: a single pass over the samples
        listener.started(spec, folder, resumed_at=0)
        position.enter("training")
        assert isinstance(model, Fitted), "only what is fitted needs no recipe"
        model.fit(batch.quartet for batch in load("train", last.size, last.batch).in_order())
        return TrainingResult(model, HEADS, [], None, test(model, None, HEADS), resumed=0)

    recipe = run.recipe
    heads = common_heads(spec.model, recipe, model, validation)
    maker = {"code": code_version(*run.names), "arithmetic": arithmetic(device, spec.precision)}

    def begin(model: nn.Module) -> tuple[Step, TaskGradients, TrainingState]:
        """The step and its state for a model, new or from a checkpoint."""
        # Its engine comes when a checkpoint was read: what is captured has its state where it is.
        metric = validation.source.has_metric_depth
        step = build_step(spec, recipe, model, heads, device, engine="eager", metric_depth=metric)
        gradients = TaskGradients(model, step.objective, heads, step.autocast, protocol.steps)
        return step, gradients, TrainingState(step, gradients, ledger, evaluations, folder, maker)

    step, gradients, state = begin(model)
    try:
        why = state.resume(resume_anyway)
    except BadData as damage:
        kept = checkpoint.set_aside(folder / LAST)
        why = f"{damage.problems[0][1]}; kept as {kept.name}, training starts anew"
        step, gradients, state = begin(build_model(spec, device))
    if why is not None:
        listener.notice(f"{spec.model}, seed {spec.seed}: {why}")
    facts = begin_training(
        run,
        step.model,
        lambda: load("train", protocol.stages[0].size, protocol.stages[0].batch),
        resumed=state.resumed > 0,
        notice=lambda words: listener.notice(f"{spec.model}, seed {spec.seed}: {words}"),
    )
    run_by(spec.engine, step)
    ledger.plain_engine = spec.engine
    ledger.obstacle = blocks_need_room(
        step, lambda why: listener.notice(f"blocks of {spec.model}, seed {spec.seed}, are not timed: {why}")
    )
    model, objective = step.model, step.objective
    position.model = model
    epochs = len(state.history)
    listener.started(spec, folder, epochs, protocol.steps_before(epochs + 1) + state.done)

    def train_epoch(epoch: int, loader: Loader) -> dict[str, float]:
        """The rest of an epoch, step by step; its mean losses."""
        before, done = protocol.steps_before(epoch), state.done
        trace = LossTrace(epoch, before, protocol.steps, ledger, listener, state)
        begin_epoch(step)

        def after_window() -> None:
            """Its losses; and once, that steps cannot be captured."""
            if (why := refusal(step)) is not None and observers.refused is None:
                ledger.plain_engine, observers.refused = uncaptured(spec.engine), why
                if not ever_replayed(step):
                    ledger.windows[-1].engine = ledger.plain_engine
                how = ledger.plain_engine.replace("eager", "eagerly")
                listener.notice(f"a step of {spec.model} cannot be captured and runs {how}: {why}")
            trace.read()

        batches = ledger.steps(loader.epoch(spec.seed, epoch, done), images=loader.batch, after_window=after_window)
        for number, batch in enumerate(batches, done + 1):
            position.batch(number, batch.ids)
            quartet = step.prepare(epoch, batch, span)
            with span("diagnostics"):
                gradients(before + number - 1, quartet)
            # Blocks of a captured step cannot be timed: the few windows that time them run it eagerly.
            losses = step.learn(quartet, span, eagerly=ledger.instrumented)
            if number == done + _SETTLED:
                memory.settle()
            trace.keep(batch, {"total": losses.total.detach(), **losses.heads, **losses.terms})
            if observers.interruption.requested:
                trace.collect()
                _stop(observers, state)
        return trace.means()

    samples: Loader | None = None  # of the stage before, which may have to make room for those of the next
    with observers.interruption.deferred():
        for epoch in range(epochs + 1, protocol.epochs + 1):
            if out_of_patience(protocol, state.history):
                facts["stopped_early"] = epoch - 1
                listener.notice(f"{spec.model}, seed {spec.seed}: {stopped_early(protocol, epoch - 1)}")
                break
            stage = protocol.stage_of(epoch)
            ledger.tag = stage.label
            model.train()
            position.enter("training", epoch)
            if samples is None or stage != protocol.stage_of(epoch - 1):
                samples = None
                samples = load("train", stage.size, stage.batch)
            else:
                memory.begin_part()
            listener.phase("training")
            train_loss = train_epoch(epoch, samples)
            memory.end_stage(ledger.tag)

            position.enter("validation", epoch)
            listener.phase("validation")
            evaluation = evaluate(model, validation, objective, autocast, evaluations, heads, metrics, position, memory)
            if not math.isfinite(evaluation.loss["total"]):
                raise Diverged(epoch, None, evaluation.broken)
            step.schedule.epoch(selection(evaluation.loss))
            row = Epoch(
                epoch=epoch,
                size=stage.size,
                learning_rate=float(step.optimizer.param_groups[0]["lr"]),
                train_loss=train_loss,
                val_loss=evaluation.loss,
                val_metrics={name: score.value for name, score in evaluation.summary().items()},
                gradients=gradients.means(),
            )
            objective.epoch_end(row.train_loss)
            position.enter("checkpoint", epoch)
            listener.phase("checkpoint")
            listener.epoch(row)  # first: a run that resumes from the checkpoint does not report this epoch again
            listener.predictions(epoch, evaluation.first)
            state.keep(row, final=epoch == protocol.epochs)
            if observers.interruption.requested and epoch < protocol.epochs:
                _stop(observers, state)

        position.enter("checkpoint")
        listener.phase("checkpoint")
        state.finish()
        result = test(model, objective, heads)
    return TrainingResult(model, heads, state.history, state.best_epoch, result, state.resumed, state.others, facts)


def _stop(observers: Observers, state: TrainingState) -> None:
    """Write a checkpoint, and leave."""
    observers.position.enter("checkpoint")
    state.write()
    at = f"epoch {len(state.history) + 1}, step {state.done}" if state.done else f"epoch {len(state.history)}"
    observers.interruption.leave(f"stopped after {at}, a checkpoint is written; the same command goes on from there")
