"""One training step: prepare a batch, then forward, loss, backward, optimizer. Training and profiles share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from bench.data.augment.pipeline import Augmentation
from bench.data.loading.batch import Batch
from bench.timing.hooks import Passes, WholePasses
from registry.contract import Quartet
from registry.losses.objective import Losses, Objective, Span, nullspan
from registry.schedules import Schedule


class Step:
    """What every step of a run does, for every batch.

    Args:
        model, objective, optimizer, schedule: trained, minimised, and how.
        autocast: the precision of the forward pass.
        device: where all of them are.
        augmentation: of every batch.

    Attributes:
        run: what is called for a forward pass, the model unless it was compiled.
        update: what is called for all that changes the weights; None for `eager_update`, which is so unless it was
            captured (a bound method here would keep the model alive when all else has let it go).
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        autocast: torch.autocast,
        device: torch.device,
        augmentation: Augmentation,
    ) -> None:
        self.model, self.objective, self.optimizer, self.schedule = model, objective, optimizer, schedule
        self.autocast, self.device, self.augmentation = autocast, device, augmentation
        self.run: Callable[..., Any] = model
        self.update: Callable[[Quartet, Span, Passes], Losses] | None = None

    def prepare(self, epoch: int, batch: Batch, span: Span = nullspan) -> Quartet:
        """A batch as it arrives on the device, augmented by what ``epoch`` draws for its samples.

        Of a copy that runs ahead the block ``h2d`` is what the step waits for.
        """
        with span("h2d"):
            quartet = batch.arrive()
        with span("augment"):
            return self.augmentation(quartet, epoch, batch.device_ids)

    def learn(
        self, quartet: Quartet, span: Span = nullspan, passes: Passes | None = None, eagerly: bool = False
    ) -> Losses:
        """Update the weights once and move the schedule on; nothing here waits for the device.

        Args:
            quartet: what `prepare` gave.
            span: entered around every block but those of the model.
            passes: entered around the model's forward and backward pass; else each is a single block.
            eagerly: operation by operation even where the update was captured, so that blocks can be timed.
        """
        update = self.eager_update if eagerly or self.update is None else self.update
        losses = update(quartet, span, passes or WholePasses(span))
        with span("optimizer"):
            self.schedule.step()
        return losses

    def eager_update(self, quartet: Quartet, span: Span, passes: Passes) -> Losses:
        """Forward, loss, backward, optimizer, operation by operation."""
        with passes.forward(), self.autocast:
            prediction = self.run(*quartet.inputs)
        losses: Losses = self.objective(prediction, quartet, span=span)
        with passes.backward():
            losses.total.backward()  # type: ignore[no-untyped-call]
        with span("optimizer"):
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        return losses
