"""The state of a training run, and its checkpoints."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.errors import BadData
from bench.core.record import Epoch
from bench.timing.ledger import Ledger
from bench.train.checkpoints import checkpoint
from bench.train.isolation.random_state import random_state, restore_random_state
from bench.train.step import Step
from bench.train.task_gradients import TaskGradients
from registry.losses.recipe import HEADS

EVERY = 60.0
"""Seconds between two checkpoints, at least; each is written at the end of an epoch.

Weights with the optimizer's moments take as long to write as several steps to make: after every short epoch, that
would be a few per cent of the training.
"""

WITHIN = 300.0
"""Seconds after which a checkpoint is written within an epoch too."""

BEST, LAST = "best.pt", "last.pt"


class TrainingState:
    """Everything that a resumed run needs to end bit-identical to an uninterrupted run.

    Args:
        step: the model, and all that changes it.
        gradients: measured on the side.
        ledger, evaluations: timings.
        folder: where checkpoints lie.
        maker: what made this state, by name: the code, the arithmetic. A checkpoint of another maker is not gone on
            from.

    Attributes:
        history: the epochs that are done.
        best_epoch: the epoch with the lowest validation loss.
        resumed: times the run was taken up again.
        done: steps of the epoch that is not done yet.
        sums: of its losses over these steps, by name.
        others: what made checkpoints that were gone on from all the same, by name, where this maker did not.
    """

    def __init__(
        self,
        step: Step,
        gradients: TaskGradients,
        ledger: Ledger,
        evaluations: Ledger,
        folder: Path,
        maker: Mapping[str, str],
    ) -> None:
        self._step, self._gradients, self._folder, self._maker = step, gradients, folder, dict(maker)
        self._ledger, self._evaluations = ledger, evaluations
        self.history: list[Epoch] = []
        self.best_epoch: int | None = None
        self.resumed = 0
        self.done = 0
        self.sums: dict[str, float] = {}
        self.others: dict[str, str] = {}
        self._best: dict[str, Any] | None = None  # weights of the best epoch; None: the model has them
        self._written = time.monotonic()

    def keep(self, row: Epoch, final: bool) -> None:
        """Add an epoch; remember its weights if they are the best, and write a checkpoint if it is time.

        Args:
            row: the epoch that was just trained.
            final: it is the last epoch, so that no run will resume from it.
        """
        self.history.append(row)
        self.done, self.sums = 0, {}
        if selection(row.val_loss) <= min(selection(epoch.val_loss) for epoch in self.history):
            self.best_epoch = row.epoch
            self._best = None if final else _copy(self._model.state_dict())
        if not final and time.monotonic() - self._written >= EVERY:
            self.write()

    def within(self, done: int, sums: Mapping[str, float]) -> None:
        """So many steps of an epoch are done; write a checkpoint if the last is long ago."""
        self.done, self.sums = done, dict(sums)
        if time.monotonic() - self._written >= WITHIN:
            self.write()

    def finish(self) -> None:
        """Give the model the weights of the best epoch, and write them in the place of an earlier run's."""
        if self._best is not None:
            self._model.load_state_dict(self._best)
        checkpoint.save(self._folder / BEST, {"model": self._model.state_dict(), "epoch": self.best_epoch})

    def write(self) -> None:
        """Write a checkpoint of what is done so far."""
        if self._step.device.type == "cuda":
            torch.cuda.synchronize(self._step.device)  # the best weights may be on their way
        parts: dict[str, Any] = {
            "model": self._model.state_dict(),
            "objective": self._step.objective.state_dict(),
            "optimizer": self._step.optimizer.state_dict(),
            "schedule": self._step.schedule.scheduler.state_dict(),
            "random": random_state(self._step.device),
            "maker": self._maker,
            "history": [epoch.model_dump() for epoch in self.history],
            "best_epoch": self.best_epoch,
            "best": self._best,
            "resumed": self.resumed,
            "others": self.others,
            "done": self.done,
            "sums": self.sums,
            "gradients": self._gradients.state(),
            "training": self._ledger.state(),
            "evaluation": self._evaluations.state(),
        }
        checkpoint.save(self._folder / LAST, parts)
        self._written = time.monotonic()

    def resume(self, anyway: bool = False) -> str | None:
        """Resume from the last checkpoint in the folder, if this maker made it.

        What other code or other arithmetic left is no beginning of this run: it is kept aside, and training starts
        anew.

        Args:
            anyway: resume from such a checkpoint all the same, even if it was kept aside; `others` says so.

        Returns:
            Why no checkpoint is resumed from, or that it is ``anyway``; None if neither.

        Raises:
            BadData: the checkpoint is damaged; the state may be in pieces, and has to be made anew.
        """
        path = self._folder / LAST
        kept = path.with_name(LAST + checkpoint.OTHER)
        if anyway and not path.exists() and kept.exists():
            kept.replace(path)
        if not path.exists():
            return None
        parts = checkpoint.load(path, self._step.device)
        try:
            others = {name: parts["maker"][name] for name, own in self._maker.items() if parts["maker"][name] != own}
            if others and not anyway:
                checkpoint.set_aside(path, checkpoint.OTHER)
                return (
                    f"the checkpoint is of other {' and '.join(others)}: training starts anew; it is kept as "
                    f"{kept.name} until the run is over, and --resume-anyway goes on from it"
                )
            self._load(parts)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise BadData([(str(path), f"no checkpoint of this run ({type(error).__name__}: {reason})")]) from error
        self.others |= others
        return f"goes on from a checkpoint of other {' and '.join(others)}, as requested" if others else None

    def _load(self, parts: dict[str, Any]) -> None:
        self._model.load_state_dict(parts["model"])
        self._step.objective.load_state_dict(parts["objective"])
        self._step.optimizer.load_state_dict(parts["optimizer"])
        self._step.schedule.scheduler.load_state_dict(parts["schedule"])
        for parameter, row in self._step.optimizer.state.items():
            if not isinstance(parameter, Tensor):  # what an optimizer keeps once for all
                continue
            shapes = {value.shape for value in row.values() if isinstance(value, Tensor) and value.dim()}
            if shapes - {parameter.shape}:
                raise ValueError("moments of another shape than the weights")
        restore_random_state(parts["random"], self._step.device)
        self.history = [Epoch.model_validate(epoch) for epoch in parts["history"]]
        self.best_epoch = parts["best_epoch"]
        self.resumed, self.others = parts["resumed"] + 1, dict(parts.get("others", {}))
        self.done, self.sums = int(parts["done"]), dict(parts["sums"])
        self._gradients.load_state(parts["gradients"])
        self._ledger.load_state(parts["training"])
        self._evaluations.load_state(parts["evaluation"])
        self._best = None if parts["best"] is None else _copy(parts["best"])

    @property
    def _model(self) -> nn.Module:
        return self._step.model


def _copy(weights: Mapping[str, Any]) -> dict[str, Any]:
    """A copy beside the device, whose memory is the training's; of each type of number in one transfer.

    Of a GPU's it is complete when the GPU is synchronised, which it does not wait for.
    """
    copied = {name: value if isinstance(value, Tensor) else deepcopy(value) for name, value in weights.items()}
    kinds: dict[tuple[torch.dtype, torch.device], list[str]] = {}
    for name, value in copied.items():
        if isinstance(value, Tensor):
            kinds.setdefault((value.dtype, value.device), []).append(name)
    for names in kinds.values():
        lying = [_as_it_lies(copied[name].detach()) for name in names]
        flat = _beside_device(torch.cat([value.reshape(-1) for value, _ in lying]))
        parts = torch.split(flat, [value.numel() for value, _ in lying])
        for name, part, (value, back) in zip(names, parts, lying, strict=True):
            copied[name] = part.view(value.shape).permute(back)
    return copied


def _beside_device(flat: Tensor) -> Tensor:
    if not flat.is_cuda:
        return flat.cpu()
    return torch.empty_like(flat, device="cpu", pin_memory=True).copy_(flat, non_blocking=True)


def _as_it_lies(value: Tensor) -> tuple[Tensor, list[int]]:
    """A tensor with its dimensions in the order of memory, so that it is flat without a copy, and the way back."""
    order = sorted(range(value.dim()), key=value.stride, reverse=True)
    return value.permute(order), sorted(range(value.dim()), key=order.__getitem__)


def selection(losses: Mapping[str, float]) -> float:
    """The validation loss by which the best epoch is picked: the heads' sum, whatever weight they have that epoch."""
    return sum(value for name, value in losses.items() if name in HEADS)
