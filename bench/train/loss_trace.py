"""`LossTrace`: the losses of an epoch, read back window by window, so that no step waits for the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.data.loading.batch import Batch
from bench.timing.ledger import Ledger
from bench.train.checkpoints.training_state import TrainingState
from bench.train.events import Listener, WindowSummary
from bench.train.failures import Diverged

_AT_ONCE = 32
"""Steps whose losses are stacked at once: one by one a GPU would wait for each, and all at once in a window's end."""


class LossTrace:
    """Keeps the losses of a window on the device and reads them back after its synchronisation.

    Args:
        epoch: that is trained.
        before: steps of the run before it; ``steps`` of the whole run.
        ledger: whose windows are summarised; ``listener`` gets the summaries.
        state: gets the sums, and writes a checkpoint when it is time.
    """

    def __init__(
        self, epoch: int, before: int, steps: int, ledger: Ledger, listener: Listener, state: TrainingState
    ) -> None:
        self._epoch, self._before, self._steps = epoch, before, steps
        self._ledger, self._listener, self._state = ledger, listener, state
        self._names: list[str] = []
        self._ids: list[Tensor] = []  # of the steps of the window
        self._scalars: list[Tensor] = []  # of the last of them
        self._stacked: list[Tensor] = []  # of those before
        self._sums, self._done = dict(state.sums), state.done

    def keep(self, batch: Batch, losses: dict[str, Tensor]) -> None:
        """Add the losses of a step, scalars by name."""
        self._names = self._names or [*losses]
        self._ids.append(batch.ids)
        self._scalars += [losses[name] for name in self._names]
        if len(self._ids) % _AT_ONCE == 0:
            self._stack()

    def read(self) -> None:
        """Read a window's losses back, report their means, and let a checkpoint be written if it is time.

        Raises:
            Diverged: a loss is NaN or infinite.
        """
        means = self.collect()
        window = self._ledger.windows[-1]
        rate = window.images / window.seconds
        done = self._before + self._done
        self._listener.window(WindowSummary(self._epoch, done, self._steps, means, rate))
        self._state.within(self._done, self._sums)

    def collect(self) -> dict[str, float]:
        """Read back what was kept; its means.

        Raises:
            Diverged: a loss is NaN or infinite.
        """
        self._stack()
        names = self._names
        rows = torch.cat(self._stacked).view(-1, len(names)).tolist()
        for ids, row in zip(self._ids, rows, strict=True):
            self._done += 1
            broken = [name for name, value in zip(names, row, strict=True) if not math.isfinite(value)]
            if broken:
                raise Diverged(self._epoch, self._done, ids, next((name for name in broken if "." in name), None))
            for name, value in zip(names, row, strict=True):
                self._sums[name] = self._sums.get(name, 0.0) + value
        self._ids, self._stacked = [], []
        self._state.done, self._state.sums = self._done, dict(self._sums)
        return {name: sum(column) / len(rows) for name, column in zip(names, zip(*rows, strict=True), strict=True)}

    def _stack(self) -> None:
        if self._scalars:
            self._stacked.append(torch.stack([scalar.float() for scalar in self._scalars]))
            self._scalars = []

    def means(self) -> dict[str, float]:
        """Mean losses of the epoch so far, by name."""
        return {name: value / self._done for name, value in self._sums.items()}
