"""The training loop, top to bottom: build, train epoch by epoch, keep the best on validation, test once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench import checkpoint
from bench.data.augment import augment
from bench.data.loader import Batch, Loader
from bench.data.split import Part
from bench.diagnostics import TaskGradients
from bench.errors import BenchError
from bench.evaluate import Evaluation, evaluate
from bench.metrics.summary import summarise
from bench.optim import Schedule, optimizers, schedules
from bench.results.record import Epoch
from bench.spec import RunSpec
from bench.timing.ledger import Ledger
from bench.watch import Pace, Watcher
from registry.losses import parse
from registry.losses.objective import Objective
from registry.models import models
from registry.models.baselines import Fitted

Loaders = Callable[[Part, int, int, int], Loader]


class Diverged(Exception):
    """The loss was NaN or infinite; the message names the step, ``ids`` the samples of its batch."""

    def __init__(self, epoch: int, step: int, ids: Tensor) -> None:
        self.ids = ids
        super().__init__(f"the loss became NaN or infinite at step {step} of epoch {epoch}")


@dataclass
class Trained:
    """What is left when training is over: the tested model, its history and the test's scores."""

    model: nn.Module
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
    watcher: Watcher,
) -> Trained:
    """Train one run and test it, going on from the last checkpoint in ``folder`` if there is one.

    Args:
        spec: what to train; decides the outcome together with the device.
        loaders: gives the loader for (part, samples, image side, batch).
        folder: where this run's checkpoints lie.
        device: where to compute.
        ledger, evaluations: get the timings of training and of validation and test.
        watcher: told how it goes.

    Raises:
        Diverged: the loss became NaN or infinite.
        BenchError: the recipe and the model or the data do not fit together.
    """
    protocol = spec.protocol
    torch.manual_seed(spec.seed)
    torch.backends.cudnn.benchmark = True  # shapes are fixed within a stage
    layout = torch.channels_last if spec.layout == "channels_last" else torch.contiguous_format
    model = models.build(spec.model).to(device, memory_format=layout)  # type: ignore[call-overload]
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=spec.precision == "bfloat16")
    _check_sizes(spec, model)
    validation = loaders("val", protocol.val_samples, protocol.size, protocol.stages[-1].batch)

    if isinstance(model, Fitted):  # learns nothing by gradient: one pass over the training samples
        watcher.started(spec, folder, resumed_at=0)
        stage = protocol.stages[-1]
        loader = loaders("train", protocol.train_samples, stage.size, stage.batch)
        model.fit(batch.quartet for batch in loader.in_order())
        test = _test(spec, loaders, model, None, autocast, evaluations)
        return Trained(model, [], None, test, resumed=0)

    heads = common_heads(spec, model, validation)
    objective = Objective(parse(spec.recipe), heads).to(device)
    gradients = TaskGradients(model, objective, heads, autocast)
    optimizer = optimizers.build(protocol.optimizer)([*model.parameters(), *objective.parameters()])
    steps = sum(stage.epochs * (protocol.train_samples // stage.batch) for stage in protocol.stages)
    schedule = schedules.build(protocol.schedule)(optimizer, steps)
    state = _State(model, objective, optimizer, schedule, ledger, evaluations, folder, device)
    state.resume()
    watcher.started(spec, folder, resumed_at=len(state.history))

    for epoch in range(len(state.history) + 1, protocol.epochs + 1):
        stage = protocol.stage_of(epoch)
        loader = loaders("train", protocol.train_samples, stage.size, stage.batch)
        trace = _Trace(epoch, len(loader), protocol.epochs, ledger, watcher)

        model.train()
        watcher.phase("training")
        batches = ledger.steps(loader.epoch(spec.seed, epoch), images=stage.batch, after_window=trace.read)
        for step, batch in enumerate(batches):
            with ledger("h2d"):
                quartet = batch.quartet.map(lambda tensor: tensor.to(device, non_blocking=True))
            with ledger("augment"):
                quartet = augment(quartet, spec.seed, epoch, batch.ids, protocol.augmentation)
            with ledger("diagnostics"):
                gradients(step, quartet)
            with ledger("forward"), autocast:
                prediction = model(quartet.bg, quartet.bg_fg)
            losses = objective(prediction, quartet, span=ledger)
            with ledger("backward"):
                losses.total.backward()
            with ledger("optimizer"):
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                schedule.step()
            trace.keep(batch, {"total": losses.total.detach(), **losses.heads, **losses.terms})

        watcher.phase("validation")
        seen = evaluate(model, validation, objective, autocast, evaluations)
        if not math.isfinite(seen.loss["total"]):
            raise Diverged(epoch, len(loader), batch.ids)
        schedule.epoch(seen.loss["total"])
        rate = float(optimizer.param_groups[0]["lr"])
        row = Epoch(
            epoch=epoch,
            size=stage.size,
            learning_rate=rate,
            train_loss=trace.means(),
            val_loss=seen.loss,
            val_metrics={name: score.value for name, score in summarise(seen.columns).items()},
            gradients=gradients.means(),
        )
        objective.epoch_end(row.train_loss)
        watcher.phase("checkpoint")
        state.keep(row)
        watcher.epoch(row)

    state.take_best()
    watcher.phase("test")
    test = _test(spec, loaders, model, objective, autocast, evaluations)
    return Trained(model, state.history, state.best_epoch, test, state.resumed)


def _test(
    spec: RunSpec,
    loaders: Loaders,
    model: nn.Module,
    objective: Objective | None,
    autocast: torch.autocast,
    ledger: Ledger,
) -> Evaluation:
    protocol = spec.protocol
    loader = loaders("test", protocol.test_samples, protocol.size, protocol.stages[-1].batch)
    return evaluate(model, loader, objective, autocast, ledger)


def _check_sizes(spec: RunSpec, model: nn.Module) -> None:
    stride = getattr(model, "stride", 1)
    wrong = [str(stage.size) for stage in spec.protocol.stages if stage.size % stride]
    if wrong:
        raise BenchError(
            f"{spec.model} takes sizes that are multiples of {stride}, not {', '.join(wrong)} as in protocol "
            f"{spec.protocol.name}: run it with --size {stride * max(1, round(spec.protocol.size / stride))}"
        )


def common_heads(spec: RunSpec, model: nn.Module, loader: Loader) -> tuple[str, ...]:
    """The heads that the model has and the recipe speaks of; the data must have truth for them."""
    recipe = parse(spec.recipe)
    truth = next(iter(loader.in_order())).quartet
    with torch.no_grad():
        model.eval()
        said = {name for name, _ in model(truth.bg[:1], truth.bg_fg[:1]).heads()}
    for head in recipe.heads:
        if head in said and getattr(truth, head) is None:
            raise BenchError(
                f"the recipe has {head} terms but the data has no {head}: give the data its {head} "
                f"(--bg-depth for photographs), or take a recipe without it, such as --loss 'mask: bce'"
            )
    heads = tuple(head for head in recipe.heads if head in said)
    if not heads:
        raise BenchError(f"nothing to train: {spec.model} predicts {' and '.join(said)}, the recipe is {spec.recipe!r}")
    return heads


class _Trace:
    """Collects the losses of a window on the device and reads them back after its synchronisation."""

    def __init__(self, epoch: int, steps: int, epochs: int, ledger: Ledger, watcher: Watcher) -> None:
        self._epoch, self._steps, self._epochs = epoch, steps, epochs
        self._ledger, self._watcher = ledger, watcher
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
                raise Diverged(self._epoch, self._done, ids)
            for name, value in zip(names, row, strict=True):
                self._sums[name] = self._sums.get(name, 0.0) + value
        window = self._ledger.windows[-1]
        means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        done = (self._epoch - 1) * self._steps + self._done
        rate = window.images / window.seconds
        pace = Pace(self._epoch, done, self._epochs * self._steps, dict(zip(names, means, strict=True)), rate)
        self._watcher.window(pace)
        self._window = []

    def means(self) -> dict[str, float]:
        return {name: value / self._done for name, value in self._sums.items()}


@dataclass
class _State:
    """Everything that a resumed run needs to end bit-identical to an uninterrupted one."""

    model: nn.Module
    objective: Objective
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    ledger: Ledger
    evaluations: Ledger
    folder: Path
    device: torch.device

    def __post_init__(self) -> None:
        self.history: list[Epoch] = []
        self.best_epoch: int | None = None
        self.resumed = 0

    def keep(self, row: Epoch) -> None:
        """Add an epoch, write the last checkpoint, and the best one if this is it."""
        self.history.append(row)
        losses = [epoch.val_loss["total"] for epoch in self.history if epoch.size == row.size]
        # Losses at different resolutions do not compare: a new stage begins its own search for the best.
        if row.val_loss["total"] <= min(losses):
            self.best_epoch = row.epoch
            checkpoint.save(self.folder / "best.pt", {"model": self.model.state_dict(), "epoch": row.epoch})
        parts: dict[str, Any] = {
            "model": self.model.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.scheduler.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
            "history": [epoch.model_dump() for epoch in self.history],
            "best_epoch": self.best_epoch,
            "resumed": self.resumed,
            "training": self.ledger.state(),
            "evaluation": self.evaluations.state(),
        }
        checkpoint.save(self.folder / "last.pt", parts)

    def resume(self) -> None:
        """Go on where the last checkpoint in the folder stands, if there is one."""
        path = self.folder / "last.pt"
        if not path.exists():
            return
        parts = checkpoint.load(path, self.device)
        self.model.load_state_dict(parts["model"])
        self.objective.load_state_dict(parts["objective"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.schedule.scheduler.load_state_dict(parts["schedule"])
        torch.set_rng_state(parts["random"].cpu())
        if parts["random_cuda"] is not None:
            torch.cuda.set_rng_state(parts["random_cuda"].cpu(), self.device)
        self.history = [Epoch.model_validate(epoch) for epoch in parts["history"]]
        self.best_epoch = parts["best_epoch"]
        self.resumed = parts["resumed"] + 1
        self.ledger.load_state(parts["training"])
        self.evaluations.load_state(parts["evaluation"])

    def take_best(self) -> None:
        """Load the weights of the best epoch."""
        if self.best_epoch is not None:
            self.model.load_state_dict(checkpoint.load(self.folder / "best.pt", self.device)["model"])
