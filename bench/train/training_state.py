"""The state of a training run, and its checkpoints."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.record import Epoch
from bench.timing.ledger import Ledger
from bench.train import checkpoint
from registry.losses.objective import Objective
from registry.losses.recipe import HEADS
from registry.schedules import Schedule

EVERY = 60.0
"""Seconds from one checkpoint to the next, at least; each is written at the end of an epoch.

Weights with the optimizer's moments take as long to write as several steps to make: after every short epoch, that
would be a few per cent of the training.
"""


@dataclass
class TrainingState:
    """Everything that a resumed run needs to end bit-identical to an uninterrupted one.

    Attributes:
        maker: names the code and the machine; a checkpoint of another is not gone on from.
    """

    model: nn.Module
    objective: Objective
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    ledger: Ledger
    evaluations: Ledger
    folder: Path
    device: torch.device
    maker: str

    def __post_init__(self) -> None:
        self.history: list[Epoch] = []
        self.best_epoch: int | None = None
        self.resumed = 0
        self._best: dict[str, Any] | None = None  # weights of the best epoch; None: the model has them
        self._written = time.monotonic()

    def keep(self, row: Epoch, final: bool) -> None:
        """Add an epoch; remember its weights if they are the best, and write a checkpoint if it is time.

        Args:
            row: the epoch that was just trained.
            final: there is none after it, so that nobody will go on from it.
        """
        self.history.append(row)
        if selection(row.val_loss) <= min(selection(epoch.val_loss) for epoch in self.history):
            self.best_epoch = row.epoch
            self._best = None if final else _copy(self.model.state_dict())
        if not final and time.monotonic() - self._written >= EVERY:
            self._write()
            self._written = time.monotonic()

    def finish(self) -> None:
        """Give the model the weights of the best epoch, and write them to ``best.pt``."""
        if self._best is not None:
            self.model.load_state_dict(self._best)
        checkpoint.save(self.folder / "best.pt", {"model": self.model.state_dict(), "epoch": self.best_epoch})

    def _write(self) -> None:
        parts: dict[str, Any] = {
            "model": self.model.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.scheduler.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
            "maker": self.maker,
            "history": [epoch.model_dump() for epoch in self.history],
            "best_epoch": self.best_epoch,
            "best": self._best,
            "resumed": self.resumed,
            "training": self.ledger.state(),
            "evaluation": self.evaluations.state(),
        }
        checkpoint.save(self.folder / "last.pt", parts)

    def resume(self) -> None:
        """Go on where the last checkpoint in the folder stands, if there is one that the same code made here.

        What other code or another machine left is no beginning of this run: it starts anew.
        """
        (self.folder / "best.pt").unlink(missing_ok=True)  # of an earlier run; this one's is written at its end
        path = self.folder / "last.pt"
        if not path.exists():
            return
        parts = checkpoint.load(path, self.device)
        if parts.get("maker") != self.maker:
            return
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
        self._best = _copy(parts["best"])


def _copy(weights: Mapping[str, Any]) -> dict[str, Any]:
    """A copy beside the device, whose memory is the training's."""
    return {
        name: value.detach().to("cpu", copy=True) if isinstance(value, Tensor) else deepcopy(value)
        for name, value in weights.items()
    }


def selection(losses: Mapping[str, float]) -> float:
    """The validation loss by which the best epoch is picked: the heads' sum, whatever weight they have that epoch."""
    return sum(value for name, value in losses.items() if name in HEADS)
