"""Learning-rate schedules by key: ``step[every=4,gamma=0.1]``. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.ranges import above, between, inside
from registry.registry import Registry

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


@dataclass
class Schedule:
    """A learning rate over time, which changes by step, by epoch, or by an epoch's validation loss."""

    scheduler: LRScheduler
    every: str  # "step", "epoch" or "validation"

    def step(self) -> None:
        """One optimizer step was made."""
        if self.every == "step":
            self.scheduler.step()

    def epoch(self, validation_loss: float) -> None:
        """One epoch ended with this validation loss."""
        if self.every == "epoch":
            self.scheduler.step()
        elif self.every == "validation":
            self.scheduler.step(validation_loss)  # type: ignore[arg-type]  # plateau takes the metric


MakeSchedule = Callable[["Optimizer", int], Schedule]
"""Optimizer and number of steps to their schedule."""

schedules: Registry[MakeSchedule] = Registry(
    "schedule",
    "bench list schedules",
    "maskdepth_bench.schedules",
    "registry.schedules:schedules",
    makes="collections.abc:Callable",
)

_EPOCHS = 10**6


@schedules.register()
def constant() -> MakeSchedule:
    """The learning rate as given, throughout."""
    from torch.optim.lr_scheduler import ConstantLR

    return lambda optimizer, steps: Schedule(ConstantLR(optimizer, factor=1.0), "epoch")


@schedules.register(
    ranges={"every": between(1, _EPOCHS), "gamma": above(0, 10), "restart": between(0, _EPOCHS)},
)
def step(every: int = 4, gamma: float = 0.1, restart: int = 0) -> MakeSchedule:
    """Multiply by gamma every so many epochs; from the given rate again after each ``restart`` epochs, if not 0."""
    from torch.optim.lr_scheduler import LambdaLR

    def factor(epoch: int) -> float:
        """The learning rate of an epoch as a share of the first one."""
        return gamma ** ((epoch % restart if restart else epoch) // every)

    return lambda optimizer, steps: Schedule(LambdaLR(optimizer, factor), "epoch")


@schedules.register(ranges={"patience": between(0, _EPOCHS), "factor": inside(0, 1)})
def plateau(patience: int = 2, factor: float = 0.1) -> MakeSchedule:
    """Multiply by factor when the validation loss has not improved for more than ``patience`` epochs."""
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    return lambda optimizer, steps: Schedule(
        ReduceLROnPlateau(optimizer, patience=patience, factor=factor), "validation"
    )


@schedules.register(ranges={"floor": between(0, 1)})
def cosine(floor: float = 0.0) -> MakeSchedule:
    """From the given rate along half a cosine to ``floor`` times it at the last step."""
    from torch.optim.lr_scheduler import CosineAnnealingLR

    def make(optimizer: Optimizer, steps: int) -> Schedule:
        """The schedule of an optimizer over so many steps."""
        bottom = floor * max(group["lr"] for group in optimizer.param_groups)
        return Schedule(CosineAnnealingLR(optimizer, max(1, steps), eta_min=bottom), "step")

    return make


@schedules.register(ranges={"warmup": between(0, 1)})
def onecycle(warmup: float = 0.2) -> MakeSchedule:
    """Up to the given rate during the first ``warmup`` share of the steps, then down to nearly nothing."""
    from torch.optim.lr_scheduler import OneCycleLR

    def make(optimizer: Optimizer, steps: int) -> Schedule:
        """The schedule of an optimizer over so many steps."""
        peak = max(group["lr"] for group in optimizer.param_groups)
        total = steps + 1  # the scheduler counts its own construction as the first step
        share = 0.0 if warmup * total == 1 else warmup  # torch would divide by the length of a rise of a single step
        return Schedule(
            OneCycleLR(optimizer, max_lr=peak, total_steps=total, pct_start=share, cycle_momentum=False), "step"
        )

    return make
