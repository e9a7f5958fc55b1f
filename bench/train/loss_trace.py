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
        self._window: list[tuple[Tensor, dict[str, Tensor]]] = []
        self._sums, self._done = dict(state.sums), state.done

    def keep(self, batch: Batch, losses: dict[str, Tensor]) -> None:
        """Add the losses of a step, scalars by name."""
        self._window.append((batch.ids, losses))

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
        names = list(self._window[0][1])
        # At once: stacked step by step, the device would wait for the host as long as for a whole step.
        scalars = torch.stack([losses[name].float() for _, losses in self._window for name in names])
        rows = scalars.view(-1, len(names)).tolist()
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
        """Mean losses of the epoch so far, by name."""
        return {name: value / self._done for name, value in self._sums.items()}
