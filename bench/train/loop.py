"""The training loop, top to bottom: build, train epoch by epoch, keep the best on validation, test once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from bench.core.code import code_version
from bench.core.machine import environment, steady_arithmetic
from bench.core.record import Epoch
from bench.core.spec import RunSpec
from bench.data.augment import Augmentation
from bench.data.loading.loader import Batch, Loader
from bench.data.split import Part
from bench.metrics import metrics as all_metrics
from bench.timing import memory
from bench.timing.ledger import Ledger
from bench.train.compatibility import check_sizes, common_heads
from bench.train.engine import refusal, run_by
from bench.train.evaluate import Evaluation, evaluate
from bench.train.events import Listener, WindowSummary
from bench.train.memory_format import place
from bench.train.step import Step
from bench.train.task_gradients import TaskGradients
from bench.train.training_state import TrainingState, selection
from registry.losses import parse
from registry.losses.objective import Objective
from registry.losses.recipe import HEADS
from registry.models import models
from registry.models.baselines import Fitted
from registry.optimizers import optimizers
from registry.schedules import schedules

Loaders = Callable[[Part, int, int, int], Loader]


class Diverged(Exception):
    """The loss was NaN or infinite; the message names the place, ``ids`` the samples.

    Args:
        where: ``at step 3`` of an epoch, with the samples of that batch, or ``in validation`` after it, with those
            samples whose loss it is.
    """

    def __init__(self, epoch: int, where: str, ids: Tensor) -> None:
        self.ids = ids
        super().__init__(f"the loss became NaN or infinite {where} of epoch {epoch}")


@dataclass
class TrainingResult:
    """What is left when training is over: the tested model and heads, its history and the test's scores."""

    model: nn.Module
    heads: Sequence[str]
    history: list[Epoch]
    best_epoch: int | None
    test: Evaluation
    resumed: int


def train(
    spec: RunSpec,
    loaders: Loaders,
    folder: Path,
    device: torch.device,
    ledger: Ledger,
    evaluations: Ledger,
    listener: Listener,
    metrics: Sequence[str] = tuple(all_metrics.default()),
) -> TrainingResult:
    """Train one run and test it, going on from the last checkpoint in ``folder`` if there is one.

    Args:
        spec: what to train; decides the outcome together with the device.
        loaders: gives the loader for (part, samples, image side, batch).
        folder: where this run's checkpoints lie.
        device: where to compute.
        ledger, evaluations: get the timings of training and of validation and test.
        listener: told how it goes.
        metrics: keys of what validation and test are scored by.

    Raises:
        Diverged: the loss became NaN or infinite.
        BenchError: the recipe and the model or the data do not fit together.
    """
    protocol = spec.protocol
    torch.manual_seed(spec.seed)
    steady_arithmetic(spec.precision)
    model = place(models.build(spec.model), spec.memory_format, device)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=spec.precision == "bfloat16")
    check_sizes(spec, model)
    validation = loaders("val", protocol.val_samples, protocol.size, protocol.stages[-1].batch)

    if isinstance(model, Fitted):  # learns nothing by gradient: one pass over the training samples
        listener.started(spec, folder, resumed_at=0)
        stage = protocol.stages[-1]
        loader = loaders("train", protocol.train_samples, stage.size, stage.batch)
        model.fit(batch.quartet for batch in loader.in_order())
        test = _test(spec, loaders, model, None, autocast, evaluations, HEADS, metrics)
        return TrainingResult(model, HEADS, [], None, test, resumed=0)

    heads = common_heads(spec, model, validation)
    objective = Objective(parse(spec.recipe), heads).to(device)
    optimizer = optimizers.build(protocol.optimizer)([*model.parameters(), *objective.parameters()])
    gradients = TaskGradients(model, objective, heads, autocast, protocol.steps)
    schedule = schedules.build(protocol.schedule)(optimizer, protocol.steps)
    metric = validation.source.has_metric_depth
    augmentation = Augmentation(protocol.augmentation, spec.seed, protocol.train_samples, metric)
    step = Step(model, objective, optimizer, schedule, autocast, device, augmentation)
    maker = f"{code_version(spec.model, spec.recipe)} {environment(device).fingerprint}"
    state = TrainingState(model, objective, optimizer, schedule, ledger, evaluations, folder, device, maker)
    state.resume()
    run_by(spec.engine, step)
    ledger.plain_engine = spec.engine
    listener.started(spec, folder, resumed_at=len(state.history))

    memory.reset_peak(device)  # what came before is not the model's
    for epoch in range(len(state.history) + 1, protocol.epochs + 1):
        stage = protocol.stage_of(epoch)
        loader = loaders("train", protocol.train_samples, stage.size, stage.batch)
        before = protocol.steps_before(epoch)
        trace = _Trace(epoch, before, protocol.steps, ledger, listener)
        ledger.tag = f"{stage.size} px, {stage.batch} images"

        model.train()
        listener.phase("training")
        batches = ledger.steps(loader.epoch(spec.seed, epoch), images=stage.batch, after_window=trace.read)
        for number, batch in enumerate(batches):
            quartet = step.prepare(epoch, batch, span=ledger)
            with ledger("diagnostics"):
                gradients(before + number, quartet)
            # Of a captured step no blocks can be told apart: the few windows that time them run it eagerly.
            losses = step.learn(quartet, span=ledger, eagerly=ledger.instrumented)
            trace.keep(batch, {"total": losses.total.detach(), **losses.heads, **losses.terms})

        listener.phase("validation")
        evaluation = evaluate(model, validation, objective, autocast, evaluations, heads, metrics)
        if not math.isfinite(evaluation.loss["total"]):
            raise Diverged(epoch, "in validation", evaluation.broken)
        schedule.epoch(selection(evaluation.loss))
        rate = float(optimizer.param_groups[0]["lr"])
        row = Epoch(
            epoch=epoch,
            size=stage.size,
            learning_rate=rate,
            train_loss=trace.means(),
            val_loss=evaluation.loss,
            val_metrics={name: score.value for name, score in evaluation.summary().items()},
            gradients=gradients.means(),
        )
        if (why := refusal(step)) is not None and ledger.plain_engine != "eager":
            ledger.plain_engine = "eager"
            listener.notice(f"a step of {spec.model} cannot be captured and runs eagerly: {why}")
        objective.epoch_end(row.train_loss)
        listener.phase("checkpoint")
        listener.epoch(row)  # first: a run that goes on from the checkpoint does not tell of this epoch again
        state.keep(row, final=epoch == protocol.epochs)
        del loader, trace, batches, batch, quartet, losses  # the next stage needs their memory

    listener.phase("checkpoint")
    state.finish()
    listener.phase("test")
    test = _test(spec, loaders, model, objective, autocast, evaluations, heads, metrics)
    return TrainingResult(model, heads, state.history, state.best_epoch, test, state.resumed)


def _test(
    spec: RunSpec,
    loaders: Loaders,
    model: nn.Module,
    objective: Objective | None,
    autocast: torch.autocast,
    ledger: Ledger,
    heads: Sequence[str],
    metrics: Sequence[str],
) -> Evaluation:
    protocol = spec.protocol
    loader = loaders("test", protocol.test_samples, protocol.size, protocol.stages[-1].batch)
    return evaluate(model, loader, objective, autocast, ledger, heads, metrics)


class _Trace:
    """Collects the losses of a window on the device and reads them back after its synchronisation."""

    def __init__(self, epoch: int, before: int, steps: int, ledger: Ledger, listener: Listener) -> None:
        self._epoch, self._before, self._steps = epoch, before, steps
        self._ledger, self._listener = ledger, listener
        self._window: list[tuple[Tensor, dict[str, Tensor]]] = []
        self._sums: dict[str, float] = {}
        self._done = 0

    def keep(self, batch: Batch, losses: dict[str, Tensor]) -> None:
        self._window.append((batch.ids, losses))

    def read(self) -> None:
        names = list(self._window[0][1])
        table = torch.stack([torch.stack([losses[name].float() for name in names]) for _, losses in self._window])
        rows = table.tolist()
        for (ids, _), row in zip(self._window, rows, strict=True):
            self._done += 1
            if not all(map(math.isfinite, row)):
                raise Diverged(self._epoch, f"at step {self._done}", ids)
            for name, value in zip(names, row, strict=True):
                self._sums[name] = self._sums.get(name, 0.0) + value
        window = self._ledger.windows[-1]
        means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        done = self._before + self._done
        rate = window.images / window.seconds
        summary = WindowSummary(self._epoch, done, self._steps, dict(zip(names, means, strict=True)), rate)
        self._listener.window(summary)
        self._window = []

    def means(self) -> dict[str, float]:
        return {name: value / self._done for name, value in self._sums.items()}
