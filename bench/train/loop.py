"""The training loop, top to bottom: build, train epoch by epoch, keep the best on validation, test once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.code import code_version
from bench.core.errors import BadData
from bench.core.interruption import Interruption
from bench.core.record import Epoch
from bench.data.loading.batch import Batch
from bench.data.loading.loader import Loader
from bench.data.split import Part
from bench.metrics import metrics as all_metrics
from bench.timing.ledger import Ledger
from bench.timing.memory import PeakMeter
from bench.train.arithmetic import arithmetic
from bench.train.assemble import Run, autocast_of, build_model, build_step
from bench.train.beginning import begin_training
from bench.train.checkpoints import checkpoint
from bench.train.checkpoints.training_state import LAST, TrainingState, out_of_patience, selection
from bench.train.checks.compatibility import check_sizes, common_heads
from bench.train.engines.engine import refusal, run_by
from bench.train.evaluate import Evaluation, evaluate, predict_first
from bench.train.events import Listener, WindowSummary
from bench.train.failures import Diverged, Position
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
    """What is left when training is over: the tested model and heads, its history, the test's scores, facts for the
    record.
    """

    model: nn.Module
    heads: Sequence[str]
    history: list[Epoch]
    best_epoch: int | None
    test: Evaluation
    resumed: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Observers:
    """Who and what looks on while a run is trained; none of them changes its outcome.

    Attributes:
        training, evaluation: get the timings of training, and of validation and test.
        listener: told how it goes.
        position: kept up to date, for whoever has to say where the run ended.
        memory: measures the peak of what the training itself holds.
        interruption: asked after every step whether to stop.
        refused: why the steps run eagerly though the run's engine is another; None where they do not.
    """

    training: Ledger
    evaluation: Ledger
    memory: PeakMeter
    listener: Listener = field(default_factory=Listener)
    position: Position = field(default_factory=Position)
    interruption: Interruption = field(default_factory=Interruption)
    refused: str | None = None


def train(
    run: Run,
    loaders: Loaders,
    folder: Path,
    device: torch.device,
    observers: Observers,
    metrics: Sequence[str] = tuple(all_metrics.default()),
) -> TrainingResult:
    """Train one run and test it, going on from the last checkpoint in ``folder`` if there is one.

    Args:
        run: what to train; decides the outcome together with the device.
        loaders: gives the loader for (part, samples, image side, batch).
        folder: where this run's checkpoints lie.
        device: where to compute.
        observers: who looks on.
        metrics: keys of what validation and test are scored by.

    Raises:
        Diverged: the loss became NaN or infinite.
        BenchError: the recipe and the model or the data do not fit together.
        Interrupted: somebody asked to stop; a checkpoint was written.
    """
    spec, protocol, listener, position = run.spec, run.spec.protocol, observers.listener, observers.position
    ledger, evaluations, memory = observers.training, observers.evaluation, observers.memory
    autocast = autocast_of(spec, device)

    def load(part: Part, size: int, batch: int) -> Loader:
        counts = {"train": protocol.train_samples, "val": protocol.val_samples, "test": protocol.test_samples}
        with memory.set_aside():  # samples that lie on the device are not the training's
            return loaders(part, counts[part], size, batch).serving(spec.inputs)

    memory.begin()
    last = protocol.stages[-1]
    validation = load("val", last.size, last.batch)
    model = build_model(spec, device)
    check_sizes(spec, model)

    def test(model: nn.Module, objective: Objective | None, heads: Sequence[str]) -> Evaluation:
        position.enter("test")
        listener.phase("test")
        return evaluate(model, load("test", last.size, last.batch), objective, autocast, evaluations, heads, metrics)

    if run.recipe is None or isinstance(model, Fitted):  # learns nothing by gradient: one pass over the samples
        listener.started(spec, folder, resumed_at=0)
        position.enter("training")
        assert isinstance(model, Fitted), "only what is fitted needs no recipe"
        model.fit(batch.quartet for batch in load("train", last.size, last.batch).in_order())
        return TrainingResult(model, HEADS, [], None, test(model, None, HEADS), resumed=0)

    recipe = run.recipe
    heads = common_heads(spec.model, recipe, model, validation)
    maker = {"code": code_version(*run.names), "arithmetic": arithmetic(device, spec.precision)}

    def begin(model: nn.Module) -> tuple[Step, TaskGradients, TrainingState]:
        # Its engine comes when a checkpoint was read: what is captured has its state where it is.
        metric = validation.source.has_metric_depth
        step = build_step(spec, recipe, model, heads, device, engine="eager", metric_depth=metric)
        gradients = TaskGradients(model, step.objective, heads, step.autocast, protocol.steps)
        return step, gradients, TrainingState(step, gradients, ledger, evaluations, folder, maker)

    step, gradients, state = begin(model)
    try:
        refused = state.resume()
    except BadData as damage:
        kept = checkpoint.set_aside(folder / LAST)
        refused = f"{damage.problems[0][1]}; kept as {kept.name}, training starts anew"
        step, gradients, state = begin(build_model(spec, device))
    if refused is not None:
        listener.notice(f"{spec.model}, seed {spec.seed}: {refused}")
    facts = begin_training(
        run,
        step.model,
        lambda: load("train", protocol.stages[0].size, protocol.stages[0].batch),
        resumed=state.resumed > 0,
        notice=lambda words: listener.notice(f"{spec.model}, seed {spec.seed}: {words}"),
    )
    run_by(spec.engine, step)
    ledger.plain_engine = spec.engine
    model, objective = step.model, step.objective
    epochs = len(state.history)
    listener.started(spec, folder, epochs, protocol.steps_before(epochs + 1) + state.done)

    def train_epoch(epoch: int, loader: Loader) -> dict[str, float]:
        """The rest of an epoch, step by step; its mean losses."""
        before, done = protocol.steps_before(epoch), state.done
        trace = _Trace(epoch, before, protocol.steps, observers, state)
        batches = ledger.steps(loader.epoch(spec.seed, epoch, done), images=loader.batch, after_window=trace.read)
        for number, batch in enumerate(batches, done + 1):
            position.batch(number, batch.ids)
            quartet = step.prepare(epoch, batch, span=ledger)
            with ledger("diagnostics"):
                gradients(before + number - 1, quartet)
            # Of a captured step no blocks can be told apart: the few windows that time them run it eagerly.
            losses = step.learn(quartet, span=ledger, eagerly=ledger.instrumented)
            if number == done + _SETTLED:
                memory.settle()
            trace.keep(batch, {"total": losses.total.detach(), **losses.heads, **losses.terms})
            if observers.interruption.requested:
                trace.collect()
                _stop(observers, state)
        return trace.means()

    with observers.interruption.deferred():
        for epoch in range(epochs + 1, protocol.epochs + 1):
            if out_of_patience(protocol, state.history):
                facts["stopped_early"] = epoch - 1
                break
            stage = protocol.stage_of(epoch)
            ledger.tag = f"{stage.size} px, {stage.batch} images"
            model.train()
            position.enter("training", epoch)
            listener.phase("training")
            train_loss = train_epoch(epoch, load("train", stage.size, stage.batch))
            memory.end_stage(ledger.tag)

            position.enter("validation", epoch)
            listener.phase("validation")
            evaluation = evaluate(model, validation, objective, autocast, evaluations, heads, metrics)
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
            if (why := refusal(step)) is not None and ledger.plain_engine != "eager":
                ledger.plain_engine, observers.refused = "eager", why
                listener.notice(f"a step of {spec.model} cannot be captured and runs eagerly: {why}")
            objective.epoch_end(row.train_loss)
            position.enter("checkpoint", epoch)
            listener.phase("checkpoint")
            listener.epoch(row)  # first: a run that goes on from the checkpoint does not tell of this epoch again
            listener.predictions(epoch, lambda count: predict_first(model, validation, autocast, heads, count))
            state.keep(row, final=epoch == protocol.epochs)
            if observers.interruption.requested and epoch < protocol.epochs:
                _stop(observers, state)

        position.enter("checkpoint")
        listener.phase("checkpoint")
        state.finish()
        result = test(model, objective, heads)
    return TrainingResult(model, heads, state.history, state.best_epoch, result, state.resumed, facts)


def _stop(observers: Observers, state: TrainingState) -> None:
    """Write a checkpoint, and leave."""
    observers.position.enter("checkpoint")
    state.write()
    at = f"epoch {len(state.history) + 1}, step {state.done}" if state.done else f"epoch {len(state.history)}"
    observers.interruption.leave(f"stopped after {at}, a checkpoint is written; the same command goes on from there")


class _Trace:
    """Collects the losses of a window on the device and reads them back after its synchronisation."""

    def __init__(self, epoch: int, before: int, steps: int, observers: Observers, state: TrainingState) -> None:
        self._epoch, self._before, self._steps = epoch, before, steps
        self._observers, self._state = observers, state
        self._window: list[tuple[Tensor, dict[str, Tensor]]] = []
        self._sums, self._done = dict(state.sums), state.done

    def keep(self, batch: Batch, losses: dict[str, Tensor]) -> None:
        self._window.append((batch.ids, losses))

    def read(self) -> None:
        """Read a window's losses back, tell of them, and let a checkpoint be written if it is time."""
        means = self.collect()
        window = self._observers.training.windows[-1]
        rate = window.images / window.seconds
        done = self._before + self._done
        self._observers.listener.window(WindowSummary(self._epoch, done, self._steps, means, rate))
        self._state.within(self._done, self._sums)

    def collect(self) -> dict[str, float]:
        """Read back what was kept; its means."""
        names = list(self._window[0][1])
        table = torch.stack([torch.stack([losses[name].float() for name in names]) for _, losses in self._window])
        rows = table.tolist()
        for (ids, _), row in zip(self._window, rows, strict=True):
            self._done += 1
            broken = [name for name, value in zip(names, row, strict=True) if not math.isfinite(value)]
            if broken:
                raise Diverged(self._epoch, self._done, ids, next((name for name in broken if "." in name), None))
            for name, value in zip(names, row, strict=True):
                self._sums[name] = self._sums.get(name, 0.0) + value
        self._window = []
        self._state.done, self._state.sums = self._done, dict(self._sums)
        return {name: sum(column) / len(rows) for name, column in zip(names, zip(*rows, strict=True), strict=True)}

    def means(self) -> dict[str, float]:
        return {name: value / self._done for name, value in self._sums.items()}
